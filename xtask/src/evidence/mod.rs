//! Evidence.
mod population;
mod trial;
mod truth;

use anyhow::Result;
use population::Subject;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use trial::{Score, score, search};
use truth::Truth;

/// Does `work` for each number on two threads; results in order.
fn each<T: Send>(count: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = Mutex::new(0u64);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = {
                        let mut n = next.lock().unwrap();
                        let v = *n;
                        *n += 1;
                        v
                    };
                    if number >= count {
                        break;
                    }
                    let result = work(number);
                    done.lock().unwrap().push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|one| one.0);
    done.into_iter().map(|one| one.1).collect()
}

pub(crate) fn run(options: &[&str]) -> Result<()> {
    let count: u64 = options.first().and_then(|n| n.parse().ok()).unwrap_or(50);
    let set: u64 = options.get(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let budget: u64 = options.get(2).and_then(|n| n.parse().ok()).unwrap_or(900);
    let troubled = options.get(3) == Some(&"troubled");
    let only: Option<u64> = std::env::var("ONLY").ok().and_then(|n| n.parse().ok());
    let subject = |number| {
        if troubled {
            Subject::troubled(set, number)
        } else {
            Subject::steady(set, number)
        }
    };
    let started = Instant::now();
    let cache = format!("/tmp/truth-{set}-{count}-{troubled}.json");
    let truths: Vec<Truth> = if let Ok(text) = std::fs::read_to_string(&cache) {
        serde_json::from_str(&text)?
    } else {
        let truths = each(count, |number| {
            truth::truth(&subject(number), set * 77_777 + 1_000_003 * (number + 1))
        });
        std::fs::write(
            &cache,
            serde_json::to_string(&truths)?.replace("null", "0.0"),
        )?;
        truths
    };
    println!("truth {:.1}s", started.elapsed().as_secs_f64());
    let scores: Vec<Option<Score>> = each(count, |number| {
        if only.is_some_and(|only| only != number) {
            return None;
        }
        let subject = subject(number);
        let (answer, _) = search(&subject, 31 + number, Duration::from_secs(budget));
        Some(score(
            &subject,
            &truths[number as usize],
            answer,
            5_555_555 + number,
        ))
    });
    let scores: Vec<Score> = scores.into_iter().flatten().collect();
    println!("search {:.1}s", started.elapsed().as_secs_f64());
    report(&scores);
    Ok(())
}

fn report(scores: &[Score]) {
    let feasible: Vec<&Score> = scores.iter().filter(|s| s.truth.streams > 0).collect();
    let pct = |all: &[&Score], f: &dyn Fn(&Score) -> bool| {
        100.0 * all.iter().filter(|s| f(s)).count() as f64 / all.len().max(1) as f64
    };
    let median = |mut v: Vec<f64>| {
        v.sort_by(f64::total_cmp);
        (
            v.get(v.len() / 2).copied().unwrap_or(f64::NAN),
            v.get(v.len() * 9 / 10).copied().unwrap_or(f64::NAN),
        )
    };
    let row = |name: &str, all: &[&Score]| {
        let caps: Vec<&Score> = all
            .iter()
            .copied()
            .filter(|s| s.cap_holds.is_some())
            .collect();
        println!(
            "{name:28} n {:4} close {:5.1} metric {:5.1} cover {:5.1} below {:4.1} above {:4.1} cap {:5.1} of {:4} width {:.3} open {} time {:?} levels {:?} over {}",
            all.len(),
            pct(all, &|s| s.is_close),
            pct(all, &|s| s.is_close_enough),
            pct(all, &|s| s.is_covered),
            pct(all, &|s| s
                .answer
                .upper
                .is_some_and(|u| u < s.truth.streams)),
            pct(all, &|s| s.answer.lower > s.truth.streams),
            pct(&caps, &|s| s.cap_holds == Some(true)),
            caps.len(),
            median(
                all.iter()
                    .map(|s| (s.answer.upper.map_or(f64::INFINITY, f64::from)
                        - f64::from(s.answer.lower))
                        / f64::from(s.truth.streams))
                    .collect()
            )
            .0,
            all.iter().filter(|s| s.answer.upper.is_none()).count(),
            median(all.iter().map(|s| s.answer.load_time_s).collect()),
            median(all.iter().map(|s| s.answer.levels as f64).collect()).0,
            all.iter().filter(|s| s.answer.load_time_s > 900.5).count()
        );
    };
    row("all feasible", &feasible);
    let part = |f: &dyn Fn(&Score) -> bool| {
        feasible
            .iter()
            .copied()
            .filter(|s| f(s))
            .collect::<Vec<_>>()
    };
    row("cliff", &part(&|s| s.truth.is_cliff()));
    row(
        "smooth tpot",
        &part(&|s| !s.truth.is_cliff() && s.truth.binding == 1),
    );
    row(
        "smooth ttft",
        &part(&|s| !s.truth.is_cliff() && s.truth.binding == 0),
    );
    let none: Vec<&Score> = scores.iter().filter(|s| s.truth.streams == 0).collect();
    println!(
        "infeasible {} said so {}",
        none.len(),
        none.iter().filter(|s| s.answer.streams == 0).count()
    );
    let mut kinds: Vec<&str> = scores.iter().map(|s| s.kind).collect();
    kinds.sort();
    kinds.dedup();
    if kinds.len() > 1 {
        for kind in kinds {
            row(kind, &part(&|s| s.kind == kind));
        }
    }
    if std::env::var_os("MISS").is_some() {
        for s in scores
            .iter()
            .filter(|s| !s.is_close_enough || !s.is_covered || s.cap_holds == Some(false))
        {
            println!(
                "{:4} truth {:4} ±{:.2} steep {:6.1} bind {} | {:4} [{}-{:?}] cap {:?} {} {:.0}s {} levels | {}{}{}{} {}",
                s.number,
                s.truth.streams,
                s.truth.error_streams,
                s.truth.steepness,
                s.truth.binding,
                s.answer.streams,
                s.answer.lower,
                s.answer.upper,
                s.answer.cap,
                s.answer.said,
                s.answer.load_time_s,
                s.answer.levels,
                if s.is_close { "" } else { "E" },
                if s.is_close_enough { "" } else { "M" },
                if s.is_covered { "" } else { "C" },
                if s.cap_holds == Some(false) { "G" } else { "" },
                s.kind
            );
        }
    }
}
