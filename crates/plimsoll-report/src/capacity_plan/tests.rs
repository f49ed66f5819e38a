//! Plans as they are read, in both languages.

use plimsoll_core::capacity_plan::{
    Inputs, RequestTime, Target, TimeSource, TokensPerRequest, capacity_plan,
};

use super::*;

fn known() -> Inputs {
    Inputs {
        cap_streams: Some(46),
        request_time: Some(RequestTime {
            s: 7.9,
            source: TimeSource::Given,
        }),
        think_time_s: Some(60.0),
        active_ratio: Some(0.1),
        peak_factor: Some(3.0),
        tokens_per_request: Some(TokensPerRequest {
            total: 640.0,
            output: Some(128.0),
        }),
        gpu_price_per_h: Some(2.5),
        gpus_per_server: Some(8),
        target: Some(Target::Users(5_000.0)),
        ..Inputs::unknown(0.75)
    }
}

fn text(inputs: &Inputs, width: u16) -> String {
    let mut out = Vec::new();
    for lang in [Lang::En, Lang::Zh] {
        render(&capacity_plan(inputs), lang, width, &mut out).unwrap();
        out.extend(b"\n");
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_plan_with_everything_known() {
    insta::assert_snapshot!(text(&known(), 120));
}

#[test]
fn a_plan_fits_a_narrow_terminal() {
    let text = text(&known(), 80);
    assert!(text.lines().all(|line| layout::width(line) <= 80), "{text}");
}

#[test]
fn a_plan_from_a_run_for_requests_a_day() {
    let inputs = Inputs {
        request_time: Some(RequestTime {
            s: 5.93,
            source: TimeSource::Between(32, 45),
        }),
        gpu_price_per_h: None,
        active_ratio: None,
        target: Some(Target::RequestPerDay(2e6)),
        ..known()
    };
    insta::assert_snapshot!(text(&inputs, 120));
}

#[test]
fn a_plan_from_a_run_whose_throughput_stops_growing() {
    let inputs = Inputs {
        queueing_mean_streams: Some(18.9),
        request_time: Some(RequestTime {
            s: 0.639,
            source: TimeSource::Between(16, 24),
        }),
        target: None,
        ..known()
    };
    insta::assert_snapshot!(text(&inputs, 80));
}

#[test]
fn a_plan_for_a_rate_without_a_server() {
    let inputs = Inputs {
        request_time: known().request_time,
        target: Some(Target::RequestPerS(10.0)),
        ..Inputs::unknown(0.75)
    };
    insta::assert_snapshot!(text(&inputs, 120));
}

#[test]
fn a_plan_of_nothing_says_what_to_give() {
    insta::assert_snapshot!(text(&Inputs::unknown(0.75), 120));
}
