//! What a request may have that a server does not take, found out by asking: which API, and which of
//! its optional fields.
//!
//! A server says no in many ways: with a status (400, 404, 422, 500), by closing the connection, or in
//! the stream; with words that name the field, or without. [`Negotiation`] is told how each probe
//! ended, and says what to ask next:
//!
//! | a probe ended with | next |
//! |---|---|
//! | an answer | what was left out without being named is tried again, one by one |
//! | a refusal that names fields | the same without these |
//! | a refusal that names none | the same with one field less, in the order of [`Feature::ALL`] |
//! | no such path, or a refusal with nothing left to leave out | the next API |
//! | a failure that has nothing to do with the request | the end |
//!
//! A probe that broke or failed inside the server is asked once more before it counts as a refusal.

mod form;
#[cfg(test)]
mod tests;
mod words;

use std::collections::VecDeque;

use crate::outcome::Outcome;
use crate::protocol::{Feature, Protocol};

pub use form::Form;
pub use words::{is_about_the_key, is_too_long};

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// With a whole answer.
    Answer,
    /// With a whole answer, to another prompt: the server does not take token ids as they are.
    OtherPrompt,
    /// Otherwise.
    Failure {
        /// How.
        outcome: Outcome,
        /// In whose words; empty where there are none.
        said: &'a str,
    },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send a probe of this form.
    Ask(Form),
    /// The server takes this form.
    Found(Form),
    /// It takes none.
    Fails(Refusal),
}

/// Why a server takes no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the APIs that were tried is there.
    Missing {
        /// The APIs.
        tried: Vec<Protocol>,
        /// What was said of the last one that is usual.
        said: String,
    },
    /// It does not know the model.
    UnknownModel {
        /// What was said.
        said: String,
    },
    /// It does not let this client in, or not to this.
    Denied {
        /// In which API.
        protocol: Protocol,
        /// 401 or 403.
        status: u16,
        /// What was said.
        said: String,
    },
    /// Prompt and answer are longer than its context.
    TooLong {
        /// What was said.
        said: String,
    },
    /// An API that is there takes no form of the request.
    NotTaken {
        /// The APIs that were tried.
        tried: Vec<Protocol>,
        /// What was said of the last form.
        said: String,
    },
    /// A request failed, whatever was left out.
    Failed {
        /// In which API.
        protocol: Protocol,
        /// How.
        outcome: Outcome,
        /// What was said.
        said: String,
    },
}

impl Refusal {
    /// How much it says of the server: of the APIs that were tried, the one that says most is told.
    fn weight(&self) -> u8 {
        match self {
            Self::Missing { .. } => 0,
            Self::UnknownModel { .. } => 1,
            Self::Denied { .. } => 2,
            Self::NotTaken { .. } | Self::Failed { .. } => 3,
            Self::TooLong { .. } => 4,
        }
    }
}

/// A field that the server does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LeftOut {
    feature: Feature,
    said: String,
    /// Whether it is known to be this one.
    is_sure: bool,
}

/// From the first probe to a form that the server takes.
#[derive(Clone, Debug)]
pub struct Negotiation {
    /// Never sent, as the user wants it.
    unwanted: Vec<Feature>,
    /// APIs still to try, in order.
    waiting: VecDeque<Protocol>,
    /// APIs to try where none of the usual ones is there.
    others: Vec<Protocol>,
    tried: Vec<Protocol>,
    /// What was asked last.
    asked: Form,
    was_asked_twice: bool,
    left_out: Vec<LeftOut>,
    /// Whether the last step left out one thing alone: then it is what made the difference.
    was_one: bool,
    /// A form that works, and the feature that is tried again with it.
    restoring: Option<(Form, Feature)>,
    refusal: Option<Refusal>,
}

impl Negotiation {
    /// In the API that is named, else in those that are usual, and then in the others. What is
    /// unwanted is not sent.
    pub fn new(named: Option<Protocol>, unwanted: &[Feature]) -> Self {
        let mut waiting: VecDeque<Protocol> = match named {
            Some(protocol) => [protocol].into(),
            None => Protocol::USUAL.into(),
        };
        let others = Protocol::ALL.into_iter();
        let others = others.filter(|one| named.is_none() && !waiting.contains(one));
        let others = others.collect();
        let first = waiting.pop_front().unwrap_or_default();
        Self {
            unwanted: unwanted.to_vec(),
            waiting,
            others,
            tried: vec![first],
            asked: Form::richest(first, unwanted),
            was_asked_twice: false,
            left_out: Vec::new(),
            was_one: false,
            restoring: None,
            refusal: None,
        }
    }

    /// The first probe.
    pub fn first(&self) -> Form {
        self.asked.clone()
    }

    /// What the server does not take of the form that was found.
    pub fn left_out(&self) -> Vec<Feature> {
        self.left_out.iter().map(|one| one.feature).collect()
    }

    /// What it said of each.
    pub fn left_out_with_words(&self) -> impl Iterator<Item = (Feature, &str)> {
        self.left_out
            .iter()
            .map(|one| (one.feature, one.said.as_str()))
    }

    /// The next step after a probe of the last form.
    pub fn hear(&mut self, heard: Heard<'_>) -> Next {
        match (heard, self.restoring.take()) {
            (Heard::Answer, None) => self.restore_from(self.asked.clone()),
            (Heard::Answer, Some((_, feature))) => {
                self.left_out.retain(|one| one.feature != feature);
                self.restore_from(self.asked.clone())
            }
            (Heard::OtherPrompt, None) => {
                self.leave_out(
                    Feature::TokenIds,
                    "token ids are not taken as they are",
                    true,
                );
                self.ask_without_what_is_left_out()
            }
            (Heard::OtherPrompt | Heard::Failure { .. }, Some((works, feature))) => {
                let mut left_out = self.left_out.iter_mut();
                if let Some(one) = left_out.find(|one| one.feature == feature) {
                    one.is_sure = true;
                    if let Heard::Failure { said, .. } = heard {
                        said.clone_into(&mut one.said);
                    }
                }
                self.restore_from(works)
            }
            (Heard::Failure { outcome, said }, None) => self.failed(outcome, said),
        }
    }

    /// The next step after a probe of the form that was found, with whole lengths, has failed. Some
    /// models break where they are made to go on beyond their end.
    pub fn hear_at_length(&mut self, outcome: Outcome, said: &str) -> Next {
        if words::is_too_long(outcome, said) {
            return Next::Fails(Refusal::TooLong {
                said: said.to_owned(),
            });
        }
        if self.is_worth_another(outcome) {
            return self.ask_again();
        }
        if self.asked.has(Feature::IgnoreEos) && is_about_the_request(outcome) {
            self.leave_out(Feature::IgnoreEos, said, true);
            return self.ask_without_what_is_left_out();
        }
        Next::Fails(self.refused(outcome, said))
    }

    fn failed(&mut self, outcome: Outcome, said: &str) -> Next {
        if words::is_too_long(outcome, said) {
            return Next::Fails(Refusal::TooLong {
                said: said.to_owned(),
            });
        }
        match outcome {
            Outcome::HttpStatus {
                status: 404 | 405 | 501,
            } => {
                let said = said.to_owned();
                self.next_protocol(if words::is_about_the_model(&said) {
                    Refusal::UnknownModel { said }
                } else {
                    let tried = Vec::new();
                    Refusal::Missing { tried, said }
                })
            }
            Outcome::HttpStatus {
                status: status @ (401 | 403),
            } => {
                let denied = Refusal::Denied {
                    protocol: self.asked.protocol,
                    status,
                    said: said.to_owned(),
                };
                if is_about_the_key(status, said) {
                    return Next::Fails(denied);
                }
                self.next_protocol(denied)
            }
            _ if !is_about_the_request(outcome) => Next::Fails(self.refused(outcome, said)),
            _ if self.is_worth_another(outcome) => self.ask_again(),
            _ => self.ask_with_less(outcome, said),
        }
    }

    /// Whether it may have been chance that a probe failed so.
    fn is_worth_another(&self, outcome: Outcome) -> bool {
        may_pass(outcome) && !self.was_asked_twice
    }

    fn ask_again(&mut self) -> Next {
        self.was_asked_twice = true;
        Next::Ask(self.asked.clone())
    }

    /// Leaves out what was named, or else one field; with none left the API takes no request.
    fn ask_with_less(&mut self, outcome: Outcome, said: &str) -> Next {
        let named = words::named(said, &self.asked);
        // Of several one may be innocent.
        let is_sure = named.len() == 1;
        let one = self.asked.features().next();
        let less: Vec<Feature> = if named.is_empty() {
            one.into_iter().collect()
        } else {
            named
        };
        self.was_one = less.len() == 1;
        if less.is_empty() {
            let refusal = self.refused(outcome, said);
            return self.next_protocol(refusal);
        }
        for feature in less {
            self.leave_out(feature, said, is_sure);
        }
        self.ask_without_what_is_left_out()
    }

    fn leave_out(&mut self, feature: Feature, said: &str, is_sure: bool) {
        self.left_out.push(LeftOut {
            feature,
            said: said.to_owned(),
            is_sure,
        });
    }

    fn ask_without_what_is_left_out(&mut self) -> Next {
        let form = Form::richest(self.asked.protocol, &self.unwanted);
        let form = self
            .left_out
            .iter()
            .fold(form, |form, one| form.without(one.feature));
        self.ask(form)
    }

    fn ask(&mut self, form: Form) -> Next {
        self.asked = form.clone();
        self.was_asked_twice = false;
        Next::Ask(form)
    }

    /// Goes on from a form that works: the field that was left out last is what made the difference;
    /// those before it that nobody named are tried again.
    fn restore_from(&mut self, works: Form) -> Next {
        let last = self.left_out.last_mut();
        if let Some(last) = last.filter(|_| std::mem::take(&mut self.was_one)) {
            last.is_sure = true;
        }
        let unsure = self.left_out.iter().find(|one| !one.is_sure);
        let Some(feature) = unsure.map(|one| one.feature) else {
            self.asked = works.clone();
            return Next::Found(works);
        };
        let form = works.with(feature);
        self.restoring = Some((works, feature));
        self.ask(form)
    }

    fn next_protocol(&mut self, refusal: Refusal) -> Next {
        let is_new = |old: &Refusal| refusal.weight() > old.weight();
        if self.refusal.as_ref().is_none_or(is_new) {
            self.refusal = Some(refusal);
        }
        if self.waiting.is_empty() && matches!(self.refusal, Some(Refusal::Missing { .. })) {
            self.waiting.extend(self.others.drain(..));
        }
        let Some(protocol) = self.waiting.pop_front() else {
            return Next::Fails(self.told());
        };
        self.tried.push(protocol);
        self.left_out.clear();
        self.ask(Form::richest(protocol, &self.unwanted))
    }

    /// What is told of all that was tried.
    fn told(&self) -> Refusal {
        let tried = self.tried.clone();
        match self.refusal.clone() {
            None => Refusal::Missing {
                tried,
                said: String::new(),
            },
            Some(Refusal::Missing { said, .. }) => Refusal::Missing { tried, said },
            Some(Refusal::NotTaken { said, .. }) => Refusal::NotTaken { tried, said },
            Some(other) => other,
        }
    }

    fn refused(&self, outcome: Outcome, said: &str) -> Refusal {
        let said = said.to_owned();
        match outcome {
            Outcome::HttpStatus { status: 400..=499 } if is_about_the_request(outcome) => {
                let tried = self.tried.clone();
                Refusal::NotTaken { tried, said }
            }
            _ => Refusal::Failed {
                protocol: self.asked.protocol,
                outcome,
                said,
            },
        }
    }
}

/// Whether another request might fare better. A client that must wait or pay, a gateway without a
/// server, a way that leads nowhere: that is not said of a request.
fn is_about_the_request(outcome: Outcome) -> bool {
    match outcome {
        Outcome::HttpStatus { status } => {
            matches!(status, 400..=500) && !matches!(status, 401..=403 | 408 | 429)
        }
        Outcome::Reset
        | Outcome::Malformed
        | Outcome::ErrorEvent
        | Outcome::EndedEarly
        | Outcome::Empty => true,
        Outcome::Completed
        | Outcome::Connect
        | Outcome::Tls
        | Outcome::TimedOut
        | Outcome::CutAtEnd
        | Outcome::NeverSent => false,
    }
}

/// Whether the same request might fare better a second time.
fn may_pass(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::HttpStatus { status: 500 } | Outcome::Reset | Outcome::EndedEarly | Outcome::Empty
    )
}
