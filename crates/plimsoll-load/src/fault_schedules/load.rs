//! The client's side of a schedule: a batch, or a level with one that follows it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::level::{Assignment, Hold, LevelPlan, LevelSettings, Load, OpenLoop, Purpose};
use plimsoll_core::protocol::Protocol;
use plimsoll_core::record::LoadEvent;
use plimsoll_core::time::Offset;
use tokio::sync::mpsc;

use super::dice::Dice;
use super::judge::{Terms, Told};
use super::requests::Numbered;
use super::server::Server;
use crate::batch::{BatchPlan, run_here};
use crate::connect::Connector;
use crate::context::{PollClock, WorkerContext, WorkerOptions};
use crate::source::RequestSource;
use crate::stats::LiveStats;
use crate::target::Target;
use crate::worker::{Command, work};

/// Odd, see the server's spans.
const TIMEOUT: Duration = Duration::from_millis(301);

/// What a schedule came to.
pub(super) struct Carried {
    pub(super) told: Vec<Told>,
    pub(super) terms: Terms,
}

/// What is needed to send requests.
struct Way {
    target: Target,
    connector: Connector,
    source: Arc<dyn RequestSource>,
}

impl Way {
    fn to(server: &Arc<Server>) -> Self {
        let path = match server.protocol {
            Protocol::Chat => "/v1/chat/completions",
            _ => "/v1/completions",
        };
        let target = Target::parse("http://memory:1").expect("an address");
        Self {
            target: target.speaking(server.protocol),
            connector: Connector::in_memory(server.dial(), server.clock),
            source: Arc::new(Numbered(path)),
        }
    }
}

/// Carries the load that the dice say.
///
/// # Errors
/// A request was lost.
pub(super) async fn carry(dice: &mut Dice, server: &Arc<Server>) -> Result<Carried, String> {
    if dice.one_in(2) {
        batch(dice, server).await
    } else {
        levels(dice, server).await
    }
}

async fn batch(dice: &mut Dice, server: &Arc<Server>) -> Result<Carried, String> {
    let way = Way::to(server);
    let mut dues: Vec<Duration> = (0..=dice.below(8))
        .map(|_| Duration::from_millis(dice.below(200) as u64))
        .collect();
    dues.sort_unstable();
    let plan = BatchPlan {
        max_concurrency: dice.pick(&[None, Some(1), Some(2), Some(4)]),
        timeout: TIMEOUT,
        keep_text: true,
        first_index: 0,
        workers: 1,
        keep_alive: !dice.one_in(6),
        dues,
    };
    let started_at = server.clock.now();
    let carried = run_here(
        &way.target,
        &way.connector,
        &way.source,
        &plan,
        server.clock,
    )
    .await;
    let (records, stats) = carried.map_err(|error| error.to_string())?;
    let told: Vec<Told> = records
        .into_iter()
        .map(|one| Told {
            record: one.record,
            text: one.text,
        })
        .collect();
    are_as_due(
        &told,
        plan.dues.iter().map(|due| started_at + *due).collect(),
    )?;
    let terms = Terms {
        timeout: TIMEOUT,
        cuts: Vec::new(),
        is_capped: plan.max_concurrency.is_some(),
        retries: stats.idle_retries,
    };
    Ok(Carried { told, terms })
}

/// Each request of a batch has one record, and was due when it was to be.
fn are_as_due(told: &[Told], dues: Vec<Offset>) -> Result<(), String> {
    let mut found: Vec<(u64, Offset)> = told
        .iter()
        .map(|one| (one.record.id, one.record.due))
        .collect();
    found.sort_unstable();
    let wanted: Vec<(u64, Offset)> = (0..).zip(dues).collect();
    if found == wanted {
        return Ok(());
    }
    Err(format!("due were {wanted:?}, and recorded {found:?}"))
}

async fn levels(dice: &mut Dice, server: &Arc<Server>) -> Result<Carried, String> {
    let stats = Arc::<LiveStats>::default();
    let (commands, received) = mpsc::unbounded_channel();
    let (events, heard) = std::sync::mpsc::channel();
    let context = context(dice, server, &stats);
    let worker = tokio::task::spawn_local(work(context, 0, received, events));
    let mut cuts = Vec::new();
    for index in 0..2 {
        let plan = level(dice, index);
        for one in Assignment::split(&plan, server.clock.now(), 1) {
            drop(commands.send(Command::Level(Box::new(one))));
        }
        // One in four is long enough for a time limit to pass.
        let longest_ms = dice.pick(&[120, 120, 120, 480]);
        tokio::time::sleep(Duration::from_millis(30 + dice.below(longest_ms) as u64)).await;
        cuts.push(server.clock.now());
    }
    drop(commands.send(Command::Stop));
    worker.await.map_err(|error| error.to_string())?;
    let told = ended(heard.try_iter().collect())?;
    let terms = Terms {
        timeout: TIMEOUT,
        cuts,
        is_capped: false,
        retries: stats.update(|stats| stats.idle_retries),
    };
    Ok(Carried { told, terms })
}

fn context(dice: &mut Dice, server: &Arc<Server>, stats: &Arc<LiveStats>) -> WorkerContext {
    let way = Way::to(server);
    let options = WorkerOptions {
        timeout: TIMEOUT,
        keep_text: false,
        keep_alive: !dice.one_in(6),
        stats: Arc::clone(stats),
        poll_clock: PollClock::new(server.clock),
    };
    WorkerContext::new(way.target, way.connector, way.source, server.clock, options)
}

fn level(dice: &mut Dice, index: u32) -> LevelPlan {
    let load = if dice.one_in(3) {
        Load::RatePerS(10.0 + dice.below(30) as f64)
    } else {
        Load::Streams(1 + dice.below(3) as u32)
    };
    LevelPlan {
        index,
        purpose: Purpose::Ramp,
        load,
        open_loop: OpenLoop {
            most_in_flight: dice.pick(&[None, Some(2)]),
            ..OpenLoop::default()
        },
        hold: Hold::Screen,
        request_time: Duration::from_millis(40),
        longest_hold: Duration::from_secs(1),
        longest: Duration::from_secs(2),
        settings: LevelSettings::default(),
    }
}

/// The records among what a worker tells. Whatever it tells of has one.
fn ended(events: Vec<LoadEvent>) -> Result<Vec<Told>, String> {
    let mut records = BTreeMap::new();
    let mut before = Vec::new();
    for event in events {
        match event {
            LoadEvent::Ended(record) => {
                if let Some(twice) = records.insert(record.id, *record) {
                    return Err(format!("request {} ended twice", twice.id));
                }
            }
            LoadEvent::Due(one) => before.push((one.id, None, None)),
            LoadEvent::Sent(one) => before.push((one.id, one.sent, None)),
            LoadEvent::First { id, at, .. } | LoadEvent::Heard { id, at } => {
                before.push((id, None, Some(at)));
            }
        }
    }
    if !(0..records.len() as u64).eq(records.keys().copied()) {
        return Err(format!("lost some but {:?}", records.keys()));
    }
    for (id, sent, output) in before {
        let record = records
            .get(&id)
            .ok_or_else(|| format!("request {id} is lost"))?;
        let is_known = |at| record.output_stamps().any(|known| known == at);
        if (sent.is_some() && sent != record.sent) || !output.is_none_or(is_known) {
            return Err(format!(
                "request {id} was told of as {sent:?}, {output:?}: {record:#?}"
            ));
        }
    }
    let told = |record| Told { record, text: None };
    Ok(records.into_values().map(told).collect())
}
