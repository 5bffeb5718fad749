use std::{pin::Pin, time::Duration};

use stayzr_core::transform::EntityKind;
use tracing::instrument::WithSubscriber;

use super::{
    Bench, Case, Outcome, Report, Stop, Verdict, access, by_id, capture::Capture, changed,
    creating, events, faults, gone, laws, paging, quotes, reading, secrecy, writing,
};

/// Nothing that a scenario does takes so long; a provider that hangs ends here.
const LONGEST: Duration = Duration::from_secs(120);

/// What a provider has to declare for a scenario to be about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: it is about every provider, and may not be skipped.
    Always,
    /// Nothing: it is about every provider whose vendor knows such a thing.
    Possible,
    /// A kind in `changed_since`.
    ChangedSince,
    /// A kind in `by_id`.
    ById,
    /// A kind in `create`.
    Create,
    /// A kind in `update`.
    Update,
    /// A field that can be emptied.
    Clear,
    /// `quote`.
    Quote,
}

impl Claim {
    fn is_made(self, case: &Case<'_>) -> bool {
        let capabilities = case.capabilities();
        match self {
            Self::Always | Self::Possible => true,
            Self::ChangedSince => !capabilities.changed_since.is_empty(),
            Self::ById => !capabilities.by_id.is_empty(),
            Self::Create => !capabilities.create.is_empty(),
            Self::Update => !capabilities.update.is_empty(),
            Self::Clear => EntityKind::ALL
                .into_iter()
                .any(|kind| case.writable(kind).iter().any(|rule| rule.clearable)),
            Self::Quote => capabilities.quote,
        }
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A promise, and how it is tried.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name: the module and function of the kit.
    pub name: &'static str,
    /// What it is about.
    pub claim: Claim,
    run: for<'a> fn(&'a Case<'a>) -> Running<'a>,
}

/// Names a function of the kit as the function itself is named.
macro_rules! scenarios {
    ($($claim:ident: $module:ident::{$($name:ident),+ $(,)?};)+) => {
        &[$($(Scenario {
            name: concat!(stringify!($module), "::", stringify!($name)),
            claim: Claim::$claim,
            run: |case| Box::pin($module::$name(case)),
        },)+)+]
    };
}

/// Every scenario, in the order in which they run.
pub const SCENARIOS: &[Scenario] = scenarios! {
    Always: access::{
        check_says_who_we_are,
        the_name_can_stand_in_a_url,
        refused_credentials_fail_the_check,
        refused_credentials_fail_every_read,
        credentials_that_expire_are_renewed_or_told,
    };
    Update: access::{refused_credentials_fail_a_write};
    Always: reading::{
        every_record_is_read,
        records_are_of_the_kind_that_was_asked_for,
        values_are_canonical,
        rules_are_about_fields_of_the_model,
        what_is_read_has_a_rule,
        links_name_records_that_are_there,
        reading_twice_is_reading_once,
        unknown_fields_survive,
        a_damaged_record_is_parked_alone,
    };
    Possible: reading::{unknown_values_are_kept_and_counted, undeclared_kinds_are_unsupported};
    ById: reading::{a_damaged_record_is_parked_by_id};
    Always: paging::{
        some_kind_has_more_than_one_page,
        pages_end_and_none_is_read_in_vain,
        a_position_goes_on_in_another_process,
        a_page_can_be_read_again,
        a_strange_position_is_an_error,
    };
    ChangedSince: changed::{
        a_quiet_span_is_empty,
        a_change_is_in_its_span,
        every_change_is_in_the_span,
        a_span_ends_where_it_ends,
    };
    Possible: changed::{the_longest_span_is_taken, later_states_have_greater_marks};
    ById: by_id::{
        as_many_as_declared_come_in_one_call,
        a_record_is_the_same_from_a_page_and_by_id,
        strangers_are_missing_and_nothing_else,
        no_ids_are_an_empty_page,
        more_than_declared_are_never_cut,
    };
    Always: by_id::{undeclared_kinds_are_unsupported};
    Update: writing::{
        applied_is_what_a_read_gives,
        other_fields_stay_as_they_are,
        a_push_of_what_stands_there_changes_nothing,
        a_change_made_meanwhile_survives,
        several_fields_go_in_one_push,
        nothing_else_happens,
        unknown_fields_survive_a_push,
        a_record_that_nobody_has_is_refused,
    };
    Always: writing::{undeclared_kinds_are_unsupported};
    Update: laws::{
        what_is_put_is_what_is_read,
        what_cannot_be_emptied_is_said,
        what_cannot_be_written_is_said,
        one_unsupported_field_holds_the_push_back,
    };
    Clear: laws::{what_is_emptied_is_empty};
    Create: creating::{
        what_was_made_is_read,
        what_was_made_is_found,
        what_was_not_made_is_not_found,
        a_lost_answer_makes_one_record,
    };
    Possible: gone::{
        what_was_removed_is_in_no_page,
        what_was_removed_is_missing_by_id,
        what_was_merged_names_what_remains,
    };
    Always: faults::{
        a_limit_is_waited_for,
        retry_after_in_seconds_is_honoured,
        retry_after_as_a_date_is_honoured,
        a_long_wait_is_told,
        reads_survive_faults_that_pass,
        a_fault_that_stays_is_unavailable,
        a_silent_vendor_is_a_timeout,
        what_is_refused_is_asked_once,
        errors_say_what_happened,
    };
    Update: faults::{
        a_write_that_was_not_let_through_is_repeated,
        a_write_whose_answer_is_lost_is_ambiguous,
        a_write_that_met_a_fault_is_ambiguous,
        a_refused_write_is_not_ambiguous,
    };
    Possible: events::{
        bodies_name_their_records,
        unknown_events_are_no_errors,
        bodies_of_others_are_errors,
    };
    Quote: quotes::{a_stay_has_a_price};
    Possible: quotes::{no_price_is_said};
    Always: secrecy::{
        a_provider_does_not_print_its_secrets,
        refused_credentials_are_not_shown,
        no_error_shows_a_secret,
    };
};

/// Runs every scenario, each at a vendor of its own, and says what became of them. A last line,
/// `secrecy::nothing_traced_holds_a_secret`, is about all that was traced meanwhile.
pub async fn run(bench: &dyn Bench) -> Report {
    let mut report = Report::default();
    let mut leaks = Vec::new();
    for scenario in SCENARIOS {
        let (verdict, leak) = judged(bench, scenario).await;
        report.push(scenario.name, verdict);
        leaks.extend(leak);
    }
    let verdict = match leaks.is_empty() {
        true => Verdict::Pass,
        false => Verdict::Fail(leaks.join("; ")),
    };
    report.push("secrecy::nothing_traced_holds_a_secret", verdict);
    report
}

/// Runs one scenario. A secret that is traced meanwhile fails it.
pub async fn run_one(bench: &dyn Bench, scenario: &Scenario) -> Verdict {
    match judged(bench, scenario).await {
        (Verdict::Pass, Some(leak)) => Verdict::Fail(leak),
        (verdict, _) => verdict,
    }
}

/// The verdict on a scenario, and what it leaked into traces.
async fn judged(bench: &dyn Bench, scenario: &Scenario) -> (Verdict, Option<String>) {
    let capture = Capture::default();
    let played = async {
        let case = match Case::open(bench).await {
            Ok(case) => case,
            Err(error) => {
                let why = format!("the bench cannot start its vendor: {error}");
                return (Verdict::Fail(why), None);
            }
        };
        if !scenario.claim.is_made(&case) {
            let why = format!("the provider does not declare it ({:?})", scenario.claim);
            return (Verdict::Skip(why), None);
        }
        let verdict = match tokio::time::timeout(LONGEST, (scenario.run)(&case)).await {
            Ok(Ok(())) => Verdict::Pass,
            Ok(Err(Stop::Fail(why))) => Verdict::Fail(why),
            Ok(Err(Stop::Skip(why))) if scenario.claim == Claim::Possible => Verdict::Skip(why),
            Ok(Err(Stop::Skip(why))) => Verdict::Fail(format!(
                "it cannot be shown, and must be ({:?}): {why}",
                scenario.claim
            )),
            Err(_) => Verdict::Fail(format!("it takes longer than {} s", LONGEST.as_secs())),
        };
        let traced = secrecy::hides(&*case.vendor, &capture.text(), scenario.name);
        let leak = match traced {
            Ok(()) => None,
            Err(Stop::Fail(why) | Stop::Skip(why)) => Some(why),
        };
        (verdict, leak)
    };
    played.with_subscriber(capture.clone()).await
}
