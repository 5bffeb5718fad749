//! What webhooks say.

use stayzr_core::model::PmsEvent;

use super::{
    Case, EventExample, Outcome, Says, Stop,
    report::{ensure, fail},
};

/// A body names the records that it is about, in its order.
pub async fn bodies_name_their_records(case: &Case<'_>) -> Outcome {
    for example in examples(case, |says| matches!(says, Says::Events(_)))? {
        let Says::Events(expected) = &example.says else {
            continue;
        };
        let said = case.provider.parse_event(&example.body);
        let said = said.map_err(|error| fail(format!("{}: {error}", example.name)))?;
        ensure(&said == expected, || {
            format!(
                "{}: says {said:?} where it should say {expected:?}",
                example.name
            )
        })?;
    }
    Ok(())
}

/// What nobody knows is an unknown event with its name, never an error and never nothing.
pub async fn unknown_events_are_no_errors(case: &Case<'_>) -> Outcome {
    for example in examples(case, |says| *says == Says::Unknown)? {
        let said = case.provider.parse_event(&example.body);
        let said = said.map_err(|error| fail(format!("{}: {error}", example.name)))?;
        let unknown = |event: &PmsEvent| match event {
            PmsEvent::Unknown { name, .. } => !name.is_empty(),
            _ => false,
        };
        ensure(!said.is_empty() && said.iter().all(unknown), || {
            format!("{}: says {said:?}", example.name)
        })?;
    }
    Ok(())
}

/// What is not the vendor's at all is an error that trying again does not help.
pub async fn bodies_of_others_are_errors(case: &Case<'_>) -> Outcome {
    let mut bodies: Vec<Vec<u8>> = vec![Vec::new(), b"\xff\xfe nothing".to_vec()];
    let examples = examples(case, |says| *says == Says::NotOurs)?;
    bodies.extend(examples.into_iter().map(|example| example.body));
    for body in bodies {
        match case.provider.parse_event(&body) {
            Err(error) if !error.is_retryable() => {}
            Err(error) => return Err(fail(format!("it would be tried for ever: {error}"))),
            Ok(said) => return Err(fail(format!("a body that is nobody's says {said:?}"))),
        }
    }
    Ok(())
}

fn examples(case: &Case<'_>, of: fn(&Says) -> bool) -> Result<Vec<EventExample>, Stop> {
    let all = case.bench.events();
    if all.is_empty() {
        return Err(Stop::Skip("this vendor has no webhooks".to_owned()));
    }
    let found: Vec<EventExample> = all.into_iter().filter(|it| of(&it.says)).collect();
    if found.is_empty() {
        return Err(fail("the bench has no such example of an event"));
    }
    Ok(found)
}
