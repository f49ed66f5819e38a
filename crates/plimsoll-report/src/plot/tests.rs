//! Structural tests of whole pictures.

use plimsoll_core::level::LevelVerdict;

use super::*;
use crate::words::level_verdict;

const FIGURES: [Figure; 3] = [Figure::LoadLine, Figure::Throughput, Figure::Efficiency];
const LANGS: [Lang; 2] = [Lang::En, Lang::Zh];

fn point(streams: f64, rps: f64, p95: f64, verdict: PointVerdict) -> PlotPoint {
    PlotPoint {
        load: streams,
        request_per_s: Some(rps),
        output_tokens_per_s: Some(rps * 480.0),
        ttft_mean_ms: Some(p95 * 0.55),
        ttft_p95_ms: Some(p95),
        verdict,
    }
}

/// The Universal Scalability Law from 1 stream on.
fn law([gamma, alpha, beta]: [f64; 3], last: f64) -> Vec<(f64, f64)> {
    let rate = |n: f64| gamma * n / (1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0));
    (0..=40)
        .map(|i| last.powf(f64::from(i) / 40.0))
        .map(|n| (n, rate(n)))
        .collect()
}

/// A search that ended at 44 streams, as the examples of the documentation show it.
fn example() -> PlotInput {
    use PointVerdict::{Fail, Pass, Screened, Undecided};
    PlotInput {
        title_note: "Qwen2.5-7B-Instruct · vLLM 0.8 · ttft p95 ≤ 1000 ms, tpot p95 ≤ 50 ms".into(),
        unit: LoadUnit::Streams,
        points: vec![
            point(1.0, 0.31, 62.0, Screened),
            point(2.0, 0.61, 70.0, Screened),
            point(4.0, 1.19, 84.0, Screened),
            point(8.0, 2.25, 108.0, Screened),
            point(16.0, 4.05, 170.0, Screened),
            point(32.0, 6.6, 420.0, Pass),
            point(64.0, 8.1, 3900.0, Fail),
            point(48.0, 8.0, 1350.0, Fail),
            point(40.0, 7.4, 690.0, Pass),
            point(44.0, 7.75, 960.0, Undecided),
        ],
        marks: Marks {
            capacity: Some(44.0),
            capacity_lower: Some(42.0),
            capacity_upper: Some(47.0),
            cap: Some(42.0),
            planned_mean: Some(29.0),
            knee: Some(33.0),
            saturation: None,
            ttft_bound_ms: Some(1000.0),
        },
        law: law([0.32, 0.012, 0.0001], 64.0),
    }
}

fn svg(figure: Figure, input: &PlotInput, lang: Lang) -> String {
    let bytes = render(figure, input, lang, Format::Svg).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The texts of an SVG, after checking that its tags are balanced and its numbers are numbers.
fn texts(svg: &str) -> Vec<String> {
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let mut open = Vec::new();
    let mut texts = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, after) = part.split_once('>').expect("every tag ends");
        let name = tag.split(' ').next().unwrap().to_owned();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else if !tag.ends_with('/') {
            if name == "text" {
                texts.push(after.trim().to_owned());
            }
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    texts
}

#[test]
fn the_load_line_names_everything_in_both_languages() {
    let english = texts(&svg(Figure::LoadLine, &example(), Lang::En));
    for label in [
        "Load line: throughput and TTFT vs concurrency",
        "concurrent streams (log scale)",
        "throughput (requests/s)",
        "TTFT (ms)",
        "capacity 44 (42–47)",
        "gateway cap 42",
        "planned mean 29",
        "knee (95 % of the peak) 33",
        "TTFT bound 1000 ms",
        "screened",
        "undecided",
    ] {
        assert!(
            english.iter().any(|t| t == label),
            "{label} is not in {english:?}"
        );
    }
    let chinese = texts(&svg(Figure::LoadLine, &example(), Lang::Zh));
    for label in [
        "并发路数（对数刻度）",
        "吞吐（请求/秒）",
        "首字时延 TTFT（毫秒）",
        "容量 44（42–47）",
        "网关上限 42",
        "平均并发 29",
        "拐点（峰值 95 %） 33",
        "TTFT 上限 1000 毫秒",
    ] {
        assert!(
            chinese.iter().any(|t| t == label),
            "{label} is not in {chinese:?}"
        );
    }
}

/// A search of rates that ended at 34.6 req/s, as its levels were.
fn by_rate() -> PlotInput {
    use PointVerdict::{Fail, Pass, Screened};
    PlotInput {
        unit: LoadUnit::RatePerS,
        title_note: "sim · ttft p95 ≤ 500 ms".into(),
        points: vec![
            point(0.55, 0.52, 22.0, Screened),
            point(4.55, 4.4, 26.0, Screened),
            point(18.3, 18.1, 70.0, Screened),
            point(33.6, 33.2, 330.0, Pass),
            point(36.7, 34.9, 900.0, Fail),
        ],
        marks: Marks {
            capacity: Some(34.6),
            capacity_lower: Some(33.6),
            capacity_upper: Some(35.3),
            cap: Some(33.6),
            planned_mean: Some(25.2),
            knee: None,
            saturation: Some(36.02),
            ttft_bound_ms: Some(500.0),
        },
        law: Vec::new(),
    }
}

#[test]
fn rates_are_drawn_as_rates() {
    for (lang, labels) in [
        (
            Lang::En,
            [
                "Load line: throughput and TTFT vs arrival rate",
                "arrivals per second (log scale)",
                "capacity 34.6 (33.6–35.3)",
                "rate limit 33.6",
                "planned mean 25.2",
                "saturation 36",
            ],
        ),
        (
            Lang::Zh,
            [
                "载重线：吞吐与首字时延 vs 到达速率",
                "到达速率（请求/秒，对数刻度）",
                "容量 34.6（33.6–35.3）",
                "速率上限 33.6",
                "平均速率 25.2",
                "饱和速率 36",
            ],
        ),
    ] {
        let found = texts(&svg(Figure::LoadLine, &by_rate(), lang));
        for label in labels {
            assert!(
                found.iter().any(|text| text == label),
                "{label} is not in {found:?}"
            );
        }
    }
}

#[test]
fn loads_are_written_with_three_digits() {
    let table = [
        (0.0123, "0.0123"),
        (0.5, "0.5"),
        (4.7, "4.7"),
        (34.64, "34.6"),
        (46.0, "46"),
        (1_234.0, "1234"),
    ];
    for (value, text) in table {
        assert_eq!(marks::plain(value), text);
    }
}

#[test]
fn the_plots_of_the_guide_keep_their_titles() {
    assert!(svg(Figure::Throughput, &example(), Lang::Zh).contains("吞吐 vs 并发"));
    let efficiency = svg(Figure::Efficiency, &example(), Lang::Zh);
    assert!(efficiency.contains("并发效率 vs 并发"));
    assert!(efficiency.contains("利特尔法则"));
}

#[test]
fn png_has_its_magic_and_size() {
    for lang in LANGS {
        let png = render(Figure::LoadLine, &example(), lang, Format::Png).unwrap();
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(
            &png[16..24],
            [WIDTH_PX.to_be_bytes(), HEIGHT_PX.to_be_bytes()].concat()
        );
        assert!(png.len() < 150_000, "{} bytes", png.len());
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for format in [Format::Png, Format::Svg] {
        let draw = || render(Figure::Throughput, &example(), Lang::En, format).unwrap();
        assert_eq!(draw(), draw());
    }
}

#[test]
fn nothing_usable_says_no_data() {
    let bare = PlotPoint {
        load: 4.0,
        request_per_s: None,
        output_tokens_per_s: None,
        ttft_mean_ms: None,
        ttft_p95_ms: None,
        verdict: PointVerdict::Void,
    };
    let misplaced = PlotPoint {
        load: f64::NAN,
        request_per_s: Some(1.0),
        ..bare
    };
    let at_zero = PlotPoint {
        load: 0.0,
        ..misplaced
    };
    for points in [vec![], vec![bare, bare], vec![misplaced, at_zero]] {
        let input = PlotInput {
            points,
            ..example()
        };
        for figure in FIGURES {
            assert!(texts(&svg(figure, &input, Lang::En)).contains(&"no data".to_owned()));
            assert!(texts(&svg(figure, &input, Lang::Zh)).contains(&"没有数据".to_owned()));
        }
    }
}

#[test]
fn odd_inputs_still_give_a_picture() {
    let pass = PointVerdict::Pass;
    let all_equal = vec![point(8.0, 2.0, 100.0, pass); 5];
    let zeros = vec![point(1.0, 0.0, 0.0, pass), point(2.0, 0.0, 0.0, pass)];
    let wild = vec![
        point(1e-9, 1e300, f64::INFINITY, pass),
        point(3.0, f64::NAN, -5.0, PointVerdict::Fail),
        point(1e14, 1e-12, 1e14, PointVerdict::Void),
        point(f64::INFINITY, 1.0, 1.0, pass),
    ];
    let odd_marks = Marks {
        capacity: Some(f64::NAN),
        capacity_lower: Some(9.0),
        capacity_upper: Some(3.0),
        cap: Some(0.0),
        planned_mean: Some(-1.0),
        knee: Some(1e300),
        saturation: None,
        ttft_bound_ms: Some(f64::INFINITY),
    };
    for points in [vec![point(1.0, 1.0, 1.0, pass)], all_equal, zeros, wild] {
        for marks in [example().marks, odd_marks, Marks::default()] {
            let title_note = "a <b> & \"c\"\u{7} ".repeat(40);
            let input = PlotInput {
                unit: LoadUnit::Streams,
                title_note,
                points: points.clone(),
                marks,
                law: vec![(1.0, f64::NAN), (2.0, 1.0), (f64::INFINITY, 1.0)],
            };
            for figure in FIGURES {
                texts(&svg(figure, &input, Lang::En));
            }
        }
    }
}

#[test]
fn a_missing_value_is_a_gap() {
    let mut input = PlotInput {
        points: example().points,
        ..PlotInput::default()
    };
    let whole = svg(Figure::Efficiency, &input, Lang::En);
    input.points[3].request_per_s = None;
    let broken = svg(Figure::Efficiency, &input, Lang::En);
    let curves = |svg: &str| svg.matches("stroke-width=\"2\"").count();
    // The curve, and its sample in the legend; with the gap the curve is in two pieces.
    assert_eq!((curves(&whole), curves(&broken)), (2, 3));
}

#[test]
fn odd_inputs_also_pass_through_the_bitmap() {
    let one = PlotInput {
        points: vec![point(1.0, 1.0, 1.0, PointVerdict::Void)],
        ..example()
    };
    for input in [PlotInput::default(), one] {
        assert!(render(Figure::LoadLine, &input, Lang::Zh, Format::Png).is_ok());
    }
}

#[test]
fn a_picture_has_the_words_of_the_table() {
    for (level, point) in [
        (LevelVerdict::Pass, PointVerdict::Pass),
        (LevelVerdict::Fail, PointVerdict::Fail),
        (LevelVerdict::Undecided, PointVerdict::Undecided),
        (LevelVerdict::Screened, PointVerdict::Screened),
        (LevelVerdict::Void, PointVerdict::Void),
    ] {
        for lang in LANGS {
            assert_eq!(text::verdict(point, lang), level_verdict(level, lang));
        }
    }
}

#[test]
fn every_text_has_its_glyphs() {
    let font = font::font().unwrap();
    let sources = [
        include_str!("text.rs"),
        include_str!("chart.rs"),
        include_str!("marks.rs"),
    ];
    for source in sources {
        let literals = source.split('"').skip(1).step_by(2);
        let missing: String = literals
            .flat_map(str::chars)
            .filter(|c| *c != '\n' && !font.has(*c))
            .collect();
        assert_eq!(missing, "", "run scripts/make-font.py");
    }
    assert!((' '..='~').all(|c| font.has(c)));
    assert!("、。，：；（）≤≥–—·×%→…".chars().all(|c| font.has(c)));
    assert!(!font.has('\u{1F600}') && !font.has('\u{E000}'));
}

/// A rocket, a family of four joined emoji, and Arabic: the font has none of them.
#[test]
fn what_the_font_lacks_becomes_a_plain_mark() {
    let font = font::font().unwrap();
    for (name, expected) in [
        ("Qwen-7B", "Qwen-7B"),
        ("Qwen\u{1F680} 7B", "Qwen· 7B"),
        ("\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}x", "·x"),
        ("a\u{645}\u{631}b", "a·b"),
    ] {
        assert_eq!(font.drawable(name), expected);
        assert!(font.drawable(name).chars().all(|c| font.has(c)));
    }
}

/// A long ladder with a void level, a hole, no bound, and marks at the low end.
fn ladder() -> PlotInput {
    use PointVerdict::{Fail, Pass, Screened, Void};
    let mut points = vec![
        point(1.0, 4.1, 21.0, Pass),
        point(2.0, 8.0, 24.0, Pass),
        point(5.0, 18.6, 40.0, Fail),
        point(10.0, 31.0, 55.0, Screened),
        point(20.0, 47.0, 80.0, Screened),
        point(50.0, 60.0, 190.0, Screened),
        point(100.0, 20.0, 260.0, Void),
        point(200.0, 66.0, 380.0, Fail),
        point(500.0, 66.0, 390.0, Fail),
        point(1000.0, 64.0, 400.0, Fail),
    ];
    points[4].request_per_s = None;
    points[4].output_tokens_per_s = None;
    let marks = Marks {
        capacity: Some(2.0),
        capacity_lower: Some(2.0),
        capacity_upper: Some(3.0),
        cap: Some(2.0),
        planned_mean: Some(1.2),
        knee: Some(16.4),
        saturation: None,
        ttft_bound_ms: Some(30.0),
    };
    PlotInput {
        unit: LoadUnit::Streams,
        title_note: String::new(),
        points,
        marks,
        law: law([4.4, 0.06, 0.0], 1000.0),
    }
}

/// Writes pictures to the folder in `PLIMSOLL_PLOTS`.
#[test]
#[ignore = "for people: writes pictures to look at"]
fn write_pictures_to_look_at() {
    let folder = std::path::PathBuf::from(std::env::var_os("PLIMSOLL_PLOTS").unwrap());
    let one = PlotInput {
        points: example().points[7..8].to_vec(),
        ..example()
    };
    let inputs = [
        ("example", example()),
        ("ladder", ladder()),
        ("rate", by_rate()),
        ("one", one),
        ("none", PlotInput::default()),
    ];
    for (name, input) in inputs {
        for figure in FIGURES {
            for lang in LANGS {
                for (format, end) in [(Format::Png, "png"), (Format::Svg, "svg")] {
                    let file = format!("{name}-{figure:?}-{lang:?}.{end}").to_lowercase();
                    let bytes = render(figure, &input, lang, format).unwrap();
                    std::fs::write(folder.join(file), bytes).unwrap();
                }
            }
        }
    }
}
