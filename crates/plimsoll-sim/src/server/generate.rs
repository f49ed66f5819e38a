//! One inference request, from its bytes to its response.

use super::ask::{Ask, Fields};
use super::body::{ReplyBody, StreamBody, Torn};
use super::error::ApiError;
use super::http::{Visit, json_reply, with_type};
use super::hub::Subscription;
use super::script::{Cast, Outcome, Script};
use super::truth::Ticket;
use super::wire::{Finish, Label, Usage, Wire, wire};
use super::{clock, words};
use crate::engine::{Admission, Job, PromptKey};
use crate::faults::Fate;
use crate::random;
use bytes::Bytes;
use hyper::{Response, StatusCode};
use plimsoll_core::protocol::{Framing, Protocol};
use rand::RngExt;
use std::sync::Arc;

/// Answers a request whose body has just been read.
pub(super) async fn generate(
    visit: &Visit,
    protocol: Protocol,
    body: Bytes,
) -> Result<Response<ReplyBody>, ApiError> {
    let shared = &visit.shared;
    let mut ticket = shared.recorder.open(shared.clock.now_ns());
    // Until something better is known; a request that is refused below has failed.
    ticket.end(Outcome::Failed);
    let fields = Fields::parse(&body)?;
    fields.check_model(&shared.config.model)?;
    let ask = fields.into_ask(protocol, shared.limit_tokens)?;
    let number = shared.next_number();
    let fate = shared.config.faults.fate(shared.config.seed, number);
    match fate {
        Fate::Error => return Err(ApiError::internal()),
        Fate::Reject => return Err(ApiError::overloaded()),
        Fate::NeverAnswer => std::future::pending::<()>().await,
        _ => {}
    }
    let (output_tokens, finish) = output_length(&ask, shared.config.seed, number);
    let usage = Usage {
        prompt_tokens: ask.prompt.len() as u32,
        completion_tokens: output_tokens,
    };
    let subscription = submit(visit, number, &ask.prompt, output_tokens)?;
    ticket.prompt(usage.prompt_tokens);
    ticket.reopen();
    let cast = Cast {
        request: number,
        usage,
        finish,
        include_usage: ask.include_usage,
        fate,
    };
    let label = Label {
        protocol,
        request: number,
        model: shared.config.model.clone(),
        created: clock::unix_seconds(),
    };
    let wire = wire(&label, &shared.config.faults);
    if ask.stream {
        let script = Script::new(cast, &shared.config.faults, wire);
        let reset = visit.reset.clone();
        let body = StreamBody::new(script, subscription, ticket, shared.clock, reset);
        let body = ReplyBody::Stream(Box::new(body));
        return Ok(with_type(StatusCode::OK, stream_type(protocol), body));
    }
    subscription.finished().await;
    whole_answer(visit, &cast, wire.as_ref(), ticket)
}

/// The content type of a stream, as servers of the protocol send it.
pub(crate) fn stream_type(protocol: Protocol) -> &'static str {
    match protocol.framing() {
        Framing::Sse => "text/event-stream; charset=utf-8",
        Framing::Ndjson => "application/x-ndjson",
    }
}

/// Puts the job into the engine, with a place for its tokens.
fn submit(
    visit: &Visit,
    number: u64,
    prompt: &[u32],
    output_tokens: u32,
) -> Result<Subscription, ApiError> {
    let shared = &visit.shared;
    let workers = shared.hubs.len() as u64;
    // The engine's thread finds the worker again as the remainder.
    let id = number * workers + visit.worker as u64;
    let key = if shared.config.engine.prefix_cache {
        PromptKey::from_tokens(prompt, shared.config.engine.block_tokens)
    } else {
        PromptKey::unshared()
    };
    let hub = Arc::clone(&shared.hubs[visit.worker]);
    let subscription = Subscription::new(id, output_tokens, hub, Arc::clone(&shared.room));
    let job = Job {
        id,
        prompt: key,
        prompt_tokens: prompt.len() as u32,
        output_tokens,
    };
    match shared.room.submit(job) {
        Admission::Queued => Ok(subscription),
        Admission::Rejected => Err(ApiError::overloaded()),
        Admission::TooLong { limit_tokens } => Err(ApiError::bad_request(format!(
            "the request can never fit: prompt and output must be at most {limit_tokens} tokens"
        ))),
    }
}

/// Draws how long the answer is and why it ends.
///
/// With `ignore_eos` it has all the tokens asked for. Else its length is geometric, capped by
/// `max_tokens`; at 0.63 of the cap the capped law's mean is half of the cap:
/// x·(1 − e^(−1/x)) = ½ at x ≈ 0.63.
fn output_length(ask: &Ask, seed: u64, number: u64) -> (u32, Finish) {
    if ask.ignore_eos {
        return (ask.max_tokens, Finish::Length);
    }
    let uniform: f64 = random::stream(seed, "output length", number).random();
    let drawn = (-(1.0 - uniform).ln() * 0.63 * f64::from(ask.max_tokens)).ceil();
    let tokens = (drawn as u32).max(ask.min_tokens).max(1);
    if tokens > ask.max_tokens {
        (ask.max_tokens, Finish::Length)
    } else {
        (tokens, Finish::Stop)
    }
}

/// The response to a request that is not streamed, with its fate acted out as far as it applies.
fn whole_answer(
    visit: &Visit,
    cast: &Cast,
    wire: &dyn Wire,
    mut ticket: Ticket,
) -> Result<Response<ReplyBody>, ApiError> {
    let shared = &visit.shared;
    ticket.end(Outcome::Failed);
    if cast.fate == Fate::ErrorEvent {
        return Err(ApiError::internal());
    }
    let text = answer_json(cast, wire, &shared.config.faults);
    if cast.fate == Fate::Cut {
        let claimed_bytes = text.len() as u64;
        let sent = Some(Bytes::from(text).slice(..claimed_bytes as usize / 2));
        let torn = Torn {
            sent,
            claimed_bytes,
            reset: visit.reset.clone(),
        };
        return Ok(with_type(
            StatusCode::OK,
            "application/json",
            ReplyBody::Torn(torn),
        ));
    }
    if !matches!(cast.fate, Fate::Empty | Fate::EarlyEnd) {
        ticket.whole(shared.clock.now_ns(), cast.usage.completion_tokens);
        ticket.end(Outcome::Completed);
    }
    Ok(json_reply(StatusCode::OK, text))
}

fn answer_json(cast: &Cast, wire: &dyn Wire, faults: &crate::Faults) -> String {
    let completion_tokens = if cast.fate == Fate::Empty {
        0
    } else {
        cast.usage.completion_tokens
    };
    let text: String = (0..completion_tokens)
        .map(|index| words::output_word(cast.request, index, faults.multibyte))
        .collect();
    let finish = (cast.fate != Fate::EarlyEnd).then_some(cast.finish);
    let usage = Usage {
        completion_tokens,
        ..cast.usage
    };
    wire.whole(&text, finish, (!faults.no_usage).then_some(usage))
}
