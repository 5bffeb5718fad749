//! The run as a state machine: it is written down in the middle and goes on, and its caps hold.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use stayzr_agents::{
    model::{ChatLimits, ChatRequest, ChatResponse, Stop, ToolRequest, TurnBrief},
    run::{CallOutcome, End, Run, RunLimits, Step},
};
use stayzr_core::{
    ErrorKind,
    model::{LanguageTag, Usage},
};

const SHORT: Duration = Duration::from_millis(10);

fn run(limits: RunLimits) -> Run {
    Run::new(
        ChatRequest {
            system: "system".to_owned(),
            messages: Vec::new(),
            tools: Vec::new(),
            limits: ChatLimits::default(),
            brief: TurnBrief {
                language: LanguageTag::english(),
                today: "2026-11-22".parse().unwrap(),
                property: "Casa".to_owned(),
                intent: "question".to_owned(),
                guest: None,
            },
        },
        limits,
    )
}

fn calls(names: &[&str]) -> ChatResponse {
    let calls = names
        .iter()
        .enumerate()
        .map(|(at, name)| ToolRequest {
            id: format!("{at}"),
            name: (*name).to_owned(),
            arguments: json!({}),
        })
        .collect();
    ChatResponse::calls("test", calls)
}

fn ok() -> CallOutcome {
    CallOutcome {
        ok: true,
        value: json!({"found": true}),
        passages: Vec::new(),
        handoff: None,
    }
}

fn end(run: &Run) -> End {
    match run.step() {
        Step::Done(draft) => draft.end,
        other => panic!("not over: {other:?}"),
    }
}

#[test]
fn a_run_goes_on_after_it_was_written_down() {
    let mut first = run(RunLimits::default());
    first.on_model(calls(&["a", "b"]), SHORT);
    let stored = serde_json::to_string(&first).unwrap();
    let mut second: Run = serde_json::from_str(&stored).unwrap();
    assert_eq!(second, first);
    assert!(matches!(second.step(), Step::NeedTools(calls) if calls.len() == 2));
    second.on_tools(vec![ok(), ok()], SHORT);
    let mut third: Run = serde_json::from_str(&serde_json::to_string(&second).unwrap()).unwrap();
    third.on_model(ChatResponse::text("test", "done"), SHORT);
    assert!(matches!(third.step(), Step::Done(draft) if draft.text.as_deref() == Some("done")));
    assert_eq!(third.records().len(), 2);
    assert_eq!(third.elapsed(), SHORT * 3);
}

#[test]
fn asking_for_the_step_changes_nothing() {
    let mut run = run(RunLimits::default());
    assert_eq!(run.step(), run.step());
    run.on_tools(vec![ok()], SHORT);
    assert!(
        matches!(run.step(), Step::NeedModel(_)),
        "no tools were asked for"
    );
}

#[test]
fn at_most_four_questions_are_asked() {
    let mut run = run(RunLimits {
        model_turns: 100,
        ..RunLimits::default()
    });
    let mut asked = 0;
    while let Step::NeedModel(_) = run.step() {
        asked += 1;
        run.on_model(calls(&["a"]), SHORT);
        run.on_tools(vec![ok()], SHORT);
    }
    assert_eq!(asked, 4);
    assert_eq!(end(&run), End::TurnCap);
}

#[test]
fn calls_over_the_cap_have_no_place_in_the_count() {
    let mut run = run(RunLimits {
        tool_calls: 2,
        ..RunLimits::default()
    });
    run.on_model(calls(&["a", "a", "a"]), SHORT);
    let Step::NeedTools(numbered) = run.step() else {
        panic!("tools are due");
    };
    let indices: Vec<u32> = numbered.iter().map(|(_, index)| *index).collect();
    assert_eq!(indices, [0, 1, u32::MAX]);
}

#[test]
fn tokens_and_time_are_capped() {
    let limits = RunLimits {
        tokens: 100,
        time: Duration::from_secs(1),
        ..RunLimits::default()
    };
    let mut wordy = run(limits);
    wordy.on_model(
        ChatResponse {
            usage: Usage {
                input_tokens: 90,
                output_tokens: 20,
            },
            ..ChatResponse::text("test", "too much")
        },
        SHORT,
    );
    assert_eq!(end(&wordy), End::TokenCap);

    let mut slow = run(limits);
    slow.on_model(calls(&["a"]), Duration::from_millis(600));
    slow.on_tools(vec![ok()], Duration::from_millis(600));
    assert_eq!(end(&slow), End::TimeCap);
}

#[test]
fn every_way_to_stop_has_its_end() {
    for (stop, expected) in [
        (Stop::Blocked, End::Blocked),
        (Stop::Length, End::TokenCap),
        (Stop::Error, End::Failed),
    ] {
        let mut run = run(RunLimits::default());
        run.on_model(
            ChatResponse {
                stop,
                ..ChatResponse::text("test", "text")
            },
            SHORT,
        );
        assert_eq!(end(&run), expected, "{stop:?}");
    }
    let mut silent = run(RunLimits::default());
    silent.on_model(ChatResponse::text("test", "  "), SHORT);
    assert_eq!(end(&silent), End::Failed);
    let mut late = run(RunLimits::default());
    late.on_model_error(ErrorKind::Timeout, SHORT);
    assert_eq!(end(&late), End::TimeCap);
}

#[test]
fn a_tool_that_hands_off_ends_the_run() {
    let mut run = run(RunLimits::default());
    run.on_model(calls(&["hand_off"]), SHORT);
    run.on_tools(
        vec![CallOutcome {
            handoff: Some("asked for".to_owned()),
            ..ok()
        }],
        SHORT,
    );
    assert_eq!(end(&run), End::HandedOff);
}

#[test]
fn a_tool_that_does_not_answer_is_a_failed_call() {
    let mut run = run(RunLimits::default());
    run.on_model(calls(&["a", "b"]), SHORT);
    run.on_tools(vec![ok()], SHORT);
    assert!(run.records()[0].ok);
    assert!(!run.records()[1].ok);
    assert!(matches!(run.step(), Step::NeedModel(_)));
}
