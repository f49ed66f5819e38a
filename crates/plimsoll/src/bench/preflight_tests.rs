use std::collections::VecDeque;

use plimsoll_core::protocol::ServedModel;
use plimsoll_load::source::Built;

use super::super::settings::tests::settings;
use super::*;

/// A server that answers from a list and remembers what it was asked.
#[derive(Default)]
struct Fake {
    answers: VecDeque<Answer>,
    models: Vec<&'static str>,
    asked: Vec<String>,
    waits: usize,
}

impl Probe for Fake {
    fn models(&mut self) -> Result<Vec<ServedModel>, NoList> {
        self.asked.push("models".to_owned());
        let served = |id: &&str| ServedModel {
            id: (*id).to_owned(),
            root: Some(format!("/models/{id}")),
            ..ServedModel::default()
        };
        Ok(self.models.iter().map(served).collect())
    }

    fn completion(&mut self, request: Built) -> Result<Answer, Failure> {
        self.asked.push(String::from_utf8(request.body).unwrap());
        Ok(self.answers.pop_front().unwrap())
    }

    fn wait(&mut self, _span: Duration) -> Go {
        self.waits += 1;
        Go::On
    }
}

fn good(prompt_tokens: u32) -> Answer {
    Answer {
        outcome: Outcome::Completed,
        prompt_tokens: Some(prompt_tokens),
        detail: None,
    }
}

fn status(status: u16, detail: &str) -> Answer {
    Answer {
        outcome: Outcome::HttpStatus { status },
        prompt_tokens: None,
        detail: Some(detail.to_owned()),
    }
}

fn fake(answers: impl Into<VecDeque<Answer>>) -> Fake {
    Fake {
        answers: answers.into(),
        models: vec!["served"],
        ..Fake::default()
    }
}

fn learn(line: &str, fake: &mut Fake) -> (Result<Learned, Failure>, Vec<String>) {
    let settings = settings(line).unwrap().0;
    let mut warnings = Vec::new();
    let learned = preflight(&settings, "x-", fake, &mut |warning| {
        warnings.push(warning.to_string());
    });
    (learned, warnings)
}

#[test]
fn one_request_of_two_token_ids_is_enough() {
    let mut fake = fake([good(2)]);
    let (learned, warnings) = learn("--model m", &mut fake);
    let learned = learned.unwrap();
    assert_eq!(
        (learned.style, learned.model_id.as_str()),
        (Style::TokenIds, "m")
    );
    assert_eq!(fake.asked.len(), 1);
    assert!(fake.asked[0].contains(r#""prompt": [1000, 1001]"#));
    assert!(fake.asked[0].contains(r#""max_tokens": 1,"#));
    assert!(warnings.is_empty());
}

#[test]
fn without_a_model_the_servers_first_is_taken() {
    let mut fake = fake([good(2)]);
    let learned = learn("", &mut fake).0.unwrap();
    assert_eq!(learned.model_id, "/models/served");
    assert_eq!(learned.writer.model, "served");
    assert_eq!(fake.asked.len(), 2);
}

#[test]
fn a_server_without_models_needs_model() {
    let mut fake = fake([]);
    fake.models.clear();
    let failure = learn("", &mut fake).0.unwrap_err();
    assert!(failure.code == 1 && failure.hint.unwrap().to_string().contains("--model"));
}

#[test]
fn a_name_the_server_refuses_becomes_its_only_one_with_a_warning() {
    let mut fake = fake([status(404, "The model `/path` does not exist."), good(2)]);
    let (learned, warnings) = learn("--model /path/to/your/model", &mut fake);
    let learned = learned.unwrap();
    assert_eq!(learned.writer.model, "served");
    assert_eq!(learned.model_id, "/path/to/your/model");
    assert!(warnings[0].contains("serves only `served`"));
    assert_eq!(fake.asked.len(), 3);
}

#[test]
fn a_name_the_server_takes_is_never_replaced() {
    let mut fake = fake([good(2)]);
    assert_eq!(
        learn("--model other", &mut fake).0.unwrap().writer.model,
        "other"
    );
    let mut several = Fake {
        models: vec!["a", "b"],
        ..self::fake([status(404, "x")])
    };
    let (learned, warnings) = learn("--model other", &mut several);
    assert_eq!(learned.unwrap().writer.model, "other");
    assert!(warnings[0].contains("http_404"));
}

#[test]
fn refused_token_ids_become_words_of_the_measured_length() {
    // 16 words are 21 tokens and 512 words 517: 5 fixed and 1 a word.
    let mut fake = fake([status(400, "prompt must be a string"), good(21), good(517)]);
    let (learned, warnings) = learn("--model m --random-input-len 512", &mut fake);
    let Style::Words(calibration) = learned.unwrap().style else {
        panic!("token ids");
    };
    assert_eq!(calibration.words_for(512), 507);
    assert!(warnings[0].contains("token ids"));
}

#[test]
fn chats_are_measured_with_two_requests() {
    let line = "--model m --backend openai-chat --endpoint /v1/chat/completions \
                --random-input-len 100";
    let mut fake = fake([good(26), good(110)]);
    let Style::Words(calibration) = learn(line, &mut fake).0.unwrap().style else {
        panic!("token ids");
    };
    assert_eq!(calibration.words_for(100), 90);
    assert_eq!(fake.asked.len(), 2);
}

#[test]
fn without_a_ready_check_a_failure_is_a_warning_and_the_run_goes_on() {
    let refused = Answer {
        outcome: Outcome::Connect,
        prompt_tokens: None,
        detail: None,
    };
    let mut fake = fake([refused]);
    let (learned, warnings) = learn("--model m", &mut fake);
    assert!(learned.is_ok() && warnings[0].contains("connect"));
    assert_eq!(fake.waits, 0);
}

#[test]
fn a_ready_check_waits_and_then_gives_up() {
    let refused = Answer {
        outcome: Outcome::Connect,
        prompt_tokens: None,
        detail: None,
    };
    let mut late = fake([refused.clone(), refused.clone(), good(2)]);
    assert!(
        learn("--model m --ready-check-timeout-sec 20", &mut late)
            .0
            .is_ok()
    );
    assert_eq!(late.waits, 2);
    let mut never = fake(vec![refused; 4]);
    let failure = learn("--model m --ready-check-timeout-sec 12", &mut never)
        .0
        .unwrap_err();
    assert!(
        failure.code == 1 && failure.fault.to_string().contains("12 s"),
        "{failure}"
    );
    assert_eq!(never.waits, 3);
}
