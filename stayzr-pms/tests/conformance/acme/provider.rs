use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Error, ErrorKind, Result,
    model::{ExternalRef, PmsEvent},
    port::{backend::StayQuery, sync::ParkedRecord},
    retry::parse_retry_after,
    transform::{EntityKind, FieldMap, FieldRule},
};
use stayzr_pms::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
    RemoteQuote, RemoteRecord, UnknownValue,
};

use super::{
    Flaw,
    vendor::{Acme, Ask, Failure, PAGE, Record},
};

/// (our field, the vendor's)
const GUEST_FIELDS: &[(&str, &str)] = &[
    ("first_name", "given"),
    ("last_name", "family"),
    ("email", "mail"),
    ("notes", "memo"),
    ("loyalty_code", "tier"),
];
const STAY_FIELDS: &[(&str, &str)] = &[
    ("arrival", "from"),
    ("departure", "to"),
    ("adults", "persons"),
];
const KNOWN: &[&str] = &["id", "rev", "at", "into", "guest", "state", "display"];

const GUEST: &[FieldRule] = &[
    FieldRule::shared("first_name").not_clearable(),
    FieldRule::shared("last_name").not_clearable(),
    FieldRule::shared("email"),
    FieldRule::shared("notes"),
    FieldRule::remote("loyalty_code"),
];
const STAY: &[FieldRule] = &[
    FieldRule::shared("adults").not_clearable(),
    FieldRule::remote("arrival"),
    FieldRule::remote("departure"),
    FieldRule::remote("status"),
    FieldRule::remote("status_vendor"),
    FieldRule::remote("guest_id"),
];

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(|| {
    let kinds = vec![EntityKind::Guest, EntityKind::Reservation];
    Capabilities {
        read: kinds.clone(),
        changed_since: kinds.clone(),
        by_id: BTreeMap::from([(EntityKind::Guest, 8), (EntityKind::Reservation, 8)]),
        create: vec![EntityKind::Guest],
        update: kinds,
        write_window: "none".to_owned(),
        ..Capabilities::default()
    }
});

pub struct AcmeProvider {
    acme: Arc<Acme>,
    token: String,
    flaw: Option<Flaw>,
    /// What flaws remember.
    position: Mutex<usize>,
    seen: Mutex<BTreeMap<String, Value>>,
}

impl fmt::Debug for AcmeProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AcmeProvider");
        if self.has(Flaw::PrintsItsToken) {
            shown.field("token", &self.token);
        }
        shown.finish_non_exhaustive()
    }
}

impl AcmeProvider {
    pub fn new(acme: Arc<Acme>, token: &str, flaw: Option<Flaw>) -> Self {
        Self {
            acme,
            token: token.to_owned(),
            flaw,
            position: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn error(&self, kind: ErrorKind, message: &'static str) -> Error {
        let error = Error::new(kind, "acme.call", message);
        match self.has(Flaw::ShowsItsTokenInErrors) {
            true => error.with("token", &self.token),
            false => error,
        }
    }

    /// A call, as often as it makes sense.
    async fn ask(&self, ask: Ask) -> Result<Value> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            if self.has(Flaw::LogsItsToken) {
                tracing::trace!(authorization = self.token, "calling");
            }
            let failure = match self.acme.ask(&self.token, ask.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let error = self.classified(&ask, &failure);
            let wait = error
                .retry_after()
                .unwrap_or(Duration::from_millis(1 << attempt));
            let mut again = matches!(
                error.kind(),
                ErrorKind::RateLimited | ErrorKind::Unavailable
            );
            again &= wait < Duration::from_secs(60);
            again |= match (&failure, &ask) {
                (Failure::Status(400 | 403, _), _) => self.has(Flaw::RepeatsWhatIsRefused),
                (Failure::Status(401, _), _) => self.has(Flaw::ShowsRefusedCredentialsAgain),
                (_, Ask::Post(..)) => self.has(Flaw::RepeatsCreates),
                (_, Ask::Put(..)) => self.has(Flaw::RepeatsWrites),
                _ => false,
            };
            if !again || attempt == 4 || self.has(Flaw::NeverTriesAgain) {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn classified(&self, ask: &Ask, failure: &Failure) -> Error {
        let (kind, message) = match failure {
            Failure::Status(401, _) => (ErrorKind::Unauthorized, "check the token of the hotel"),
            Failure::Status(403, _) if self.has(Flaw::CallsForbiddenUnavailable) => {
                (ErrorKind::Unavailable, "the vendor has a fault")
            }
            Failure::Status(403, _) => (ErrorKind::Forbidden, "the token may not do this"),
            Failure::Status(404, _) => (ErrorKind::NotFound, "the vendor does not know this"),
            Failure::Status(429, _) => (ErrorKind::RateLimited, "the vendor's limit is reached"),
            Failure::Status(400..=499, _) => (ErrorKind::Invalid, "the vendor refuses the request"),
            Failure::Silent => (ErrorKind::Timeout, "the vendor does not answer"),
            Failure::Status(..) | Failure::Lost | Failure::Garbled => {
                (ErrorKind::Unavailable, "the vendor has a fault")
            }
        };
        let unclear = matches!(kind, ErrorKind::Unavailable | ErrorKind::Timeout)
            || (kind == ErrorKind::Invalid && self.has(Flaw::CallsRefusalsAmbiguous));
        let kind = if ask.writes() && unclear {
            ErrorKind::Ambiguous
        } else {
            kind
        };
        let mut error = self.error(kind, message);
        if let Failure::Status(429, Some(wait)) = failure {
            let is_date = wait.contains("GMT");
            let ignored = match is_date {
                true => self.has(Flaw::IgnoresDatesToWait),
                false => self.has(Flaw::IgnoresSecondsToWait),
            };
            let long = wait == "600" && self.has(Flaw::ForgetsTheWait);
            if let Some(wait) = parse_retry_after(wait, Utc::now()).filter(|_| !ignored && !long) {
                error = error.with_retry_after(wait);
            }
        }
        error
    }

    fn read(&self, kind: EntityKind, value: &Value, listed: bool) -> Result<RemoteRecord, String> {
        let record: &Record = value.as_object().ok_or("a record is an object")?;
        let id = record["id"].as_str().ok_or("id: not a text")?.to_owned();
        let mut fields = FieldMap::new();
        let mut links = BTreeMap::new();
        let mut unknown = Vec::new();
        let names = if kind == EntityKind::Guest {
            GUEST_FIELDS
        } else {
            STAY_FIELDS
        };
        for (ours, theirs) in names {
            if listed && *theirs == "memo" && self.has(Flaw::ListsLessThanItReads) {
                continue;
            }
            let mut value = record.get(*theirs).cloned().unwrap_or_default();
            if *theirs == "given" && !value.is_string() {
                return Err(format!("{theirs}: not a text"));
            }
            if matches!(*theirs, "from" | "to") {
                let time = value
                    .as_str()
                    .and_then(|text| text.parse::<DateTime<Utc>>().ok());
                if time.is_none() {
                    return Err(format!("{theirs}: not a time"));
                }
                if self.has(Flaw::WritesTimesWithAnOffset) {
                    value = json!(value.as_str().map(|text| text.replace('Z', "+00:00")));
                }
            }
            fields.insert(*ours, value);
        }
        if kind == EntityKind::Reservation {
            let word = record["state"].as_str().unwrap_or_default();
            let status = match word {
                "booked" => "confirmed",
                _ if self.has(Flaw::ParksUnknownWords) => return Err("state: not known".to_owned()),
                _ => "unknown",
            };
            if status == "unknown" && !self.has(Flaw::DoesNotCountUnknownWords) {
                unknown.push(UnknownValue {
                    field: "state".to_owned(),
                    value: word.to_owned(),
                });
            }
            fields.insert("status", status);
            fields.insert("status_vendor", word);
            let kind = match self.has(Flaw::LinksToTheWrongKind) {
                true => EntityKind::Room,
                false => EntityKind::Guest,
            };
            let guest = record["guest"].as_str().map(|id| ExternalRef {
                kind,
                id: id.to_owned(),
            });
            links.insert("guest_id", guest);
        }
        let mut extra = record.clone();
        extra.retain(|key, _| {
            !KNOWN.contains(&key.as_str()) && names.iter().all(|(_, theirs)| theirs != key)
        });
        if self.has(Flaw::DropsUnknownFields) {
            extra.clear();
        }
        if self.has(Flaw::StampsWhatItReads) {
            extra.insert("read_at".to_owned(), json!(Utc::now()));
        }
        let rev = record["rev"].as_u64().unwrap_or_default();
        let into = record
            .get("into")
            .and_then(Value::as_str)
            .map(str::to_owned);
        Ok(RemoteRecord {
            kind,
            external_id: id,
            version: Some(match self.has(Flaw::DoesNotPadVersions) {
                true => rev.to_string(),
                false => format!("{rev:010}"),
            }),
            fields,
            links,
            merged_into: into.filter(|_| !self.has(Flaw::ForgetsMerges)),
            extra,
            unknown,
        })
    }

    fn page(&self, kind: EntityKind, items: &[Value], listed: bool) -> Result<RecordPage> {
        let mut page = RecordPage::default();
        for item in items {
            match self.read(kind, item, listed) {
                Ok(record) => page.records.push(record),
                Err(_) if self.has(Flaw::DropsDamagedRecords) => {}
                Err(_) if self.has(Flaw::FailsOnDamagedRecords) => {
                    return Err(self.error(ErrorKind::Corrupt, "a record cannot be read"));
                }
                Err(reason) => {
                    let id = item["id"]
                        .as_str()
                        .filter(|_| !self.has(Flaw::ParksWithoutAnId));
                    page.parked.push(ParkedRecord {
                        entity: kind,
                        local_id: None,
                        external_id: id.map(str::to_owned),
                        reason,
                    });
                }
            }
        }
        Ok(page)
    }

    async fn by_id(&self, kind: EntityKind, id: &str) -> Result<RemoteRecord> {
        let page = self.fetch_ids(kind, &[id.to_owned()]).await?;
        let missing = || self.error(ErrorKind::NotFound, "the vendor does not know this");
        page.records.into_iter().next().ok_or_else(missing)
    }

    fn wire(&self, kind: EntityKind, fields: &FieldMap) -> Record {
        let names = if kind == EntityKind::Guest {
            GUEST_FIELDS
        } else {
            STAY_FIELDS
        };
        let known = names.iter().filter(|(ours, _)| fields.contains(ours));
        known
            .filter(|(ours, _)| {
                !(self.has(Flaw::EmptiesNothing) && fields.get(ours) == Some(&Value::Null))
            })
            .map(|(ours, theirs)| {
                (
                    (*theirs).to_owned(),
                    fields.get(ours).cloned().unwrap_or_default(),
                )
            })
            .collect()
    }

    async fn write(&self, push: &Push, id: &str) -> Result<PushOutcome> {
        let kind = push.kind;
        let before = match self.flaw {
            Some(Flaw::AnswersWithTheRequest | Flaw::AnswersWithTheOldRecord) => {
                Some(self.by_id(kind, id).await?)
            }
            _ => None,
        };
        let mut fields = self.wire(kind, &push.changed);
        if self.has(Flaw::WritesTheWholeBase) {
            let mut whole = self.wire(kind, &push.base);
            whole.extend(fields);
            fields = whole;
        }
        if self.has(Flaw::WritesAComputedName) {
            fields.insert("display".to_owned(), json!("computed"));
        }
        let ask = if self.has(Flaw::ReplacesTheRecord) {
            let now = self
                .acme
                .state()
                .of(kind)
                .get(id)
                .cloned()
                .unwrap_or_default();
            let mut whole: Record = now;
            whole.retain(|key, _| key != "aura");
            whole.extend(fields);
            Ask::Replace(kind, id.to_owned(), whole)
        } else {
            Ask::Put(kind, id.to_owned(), fields, self.has(Flaw::SendsLetters))
        };
        let answer = match self.ask(ask).await {
            Err(error)
                if error.kind() == ErrorKind::NotFound && self.has(Flaw::MakesWhoIsUnknown) =>
            {
                return self.create(push).await;
            }
            Err(error)
                if error.kind() == ErrorKind::Ambiguous && self.has(Flaw::CallsLostWritesDone) =>
            {
                let record = self.by_id(kind, id).await?;
                return Ok(PushOutcome::Applied(Box::new(record)));
            }
            answer => answer?,
        };
        let record = match before {
            Some(mut before) => {
                if self.has(Flaw::AnswersWithTheRequest) {
                    before.fields.extend(&push.changed);
                }
                before
            }
            None => self
                .read(kind, &answer, false)
                .map_err(|why| Error::corrupt("acme.push", why))?,
        };
        Ok(PushOutcome::Applied(Box::new(record)))
    }

    async fn create(&self, push: &Push) -> Result<PushOutcome> {
        let mut fields = self.wire(push.kind, &push.changed);
        for (_, theirs) in GUEST_FIELDS {
            fields.entry((*theirs).to_owned()).or_insert(Value::Null);
        }
        let answer = self.ask(Ask::Post(push.kind, fields)).await?;
        let record = self.read(push.kind, &answer, false);
        let record = record.map_err(|why| Error::corrupt("acme.push", why))?;
        Ok(PushOutcome::Applied(Box::new(record)))
    }

    /// Fields that cannot be set so.
    fn refused(&self, push: &Push) -> Vec<String> {
        let rules = self.fields(push.kind);
        let can = |field: &str, empties: bool| {
            let rule = rules.iter().find(|rule| rule.field == field);
            match rule.filter(|rule| rule.writable) {
                None => self.has(Flaw::DropsWhatCannotBeWritten),
                Some(rule) if empties && !rule.clearable => {
                    self.has(Flaw::DropsWhatCannotBeEmptied)
                }
                Some(_) => true,
            }
        };
        let fields = push
            .changed
            .iter()
            .map(|(field, value)| (field, value.is_null()));
        let links = push
            .links
            .iter()
            .map(|(field, link)| (field.as_str(), link.is_none()));
        let refused = fields
            .chain(links)
            .filter(|(field, empties)| !can(field, *empties));
        refused.map(|(field, _)| field.to_owned()).collect()
    }

    /// What can be said of a push: nothing that is not writable, nothing emptied that cannot be.
    fn sayable(&self, push: &Push) -> Push {
        let rules = self.fields(push.kind);
        let changed = push.changed.iter().filter(|(field, value)| {
            let rule = rules.iter().find(|rule| rule.field == *field);
            rule.is_some_and(|rule| rule.writable && (rule.clearable || !value.is_null()))
        });
        Push {
            changed: changed
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect(),
            ..push.clone()
        }
    }
}

#[async_trait]
impl PmsProvider for AcmeProvider {
    fn name(&self) -> &'static str {
        "acme"
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        match kind {
            EntityKind::Guest => GUEST,
            EntityKind::Reservation => STAY,
            _ => &[],
        }
    }

    async fn check(&self) -> Result<RemoteProperty> {
        if !self.has(Flaw::ChecksWithoutAsking) {
            self.ask(Ask::Hotel).await?;
        }
        Ok(RemoteProperty {
            id: "h1".to_owned(),
            name: "Acme House".to_owned(),
            time_zone: "Europe/Lisbon".to_owned(),
            currency: Some("EUR".to_owned()),
        })
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        let kind = query.kind;
        if !CAPABILITIES.read.contains(&kind) {
            return Err(self.error(ErrorKind::Unsupported, "Acme has no such records"));
        }
        let mut from = match &query.position {
            None => 0,
            Some(position) => match position.as_u64() {
                Some(from) => usize::try_from(from).unwrap_or_default(),
                None if self.has(Flaw::TakesAnyPosition) => 0,
                None => return Err(self.error(ErrorKind::Invalid, "not a position of ours")),
            },
        };
        if self.has(Flaw::KeepsItsPositionInMemory) && query.position.is_some() {
            from = *self.position.lock().unwrap();
        }
        let mut span = query.changed;
        if self.has(Flaw::IgnoresTheSpan) {
            span = None;
        }
        if let (Some((_, end)), true) = (&mut span, self.has(Flaw::IgnoresTheEndOfTheSpan)) {
            *end = Utc::now() + chrono::TimeDelta::days(1);
        }
        let answer = match self.ask(Ask::List(kind, from, span)).await {
            Err(error)
                if error.kind() == ErrorKind::Unauthorized
                    && self.has(Flaw::SwallowsRefusedCredentials) =>
            {
                return Ok(RecordPage::default());
            }
            Err(error)
                if error.kind() == ErrorKind::Unavailable
                    && self.has(Flaw::ReadsGarbledAsEmpty) =>
            {
                return Ok(RecordPage::default());
            }
            answer => answer?,
        };
        let mut items = answer["items"].as_array().cloned().unwrap_or_default();
        if query.changed.is_some() && self.has(Flaw::FindsNoChanges) {
            items.clear();
        }
        if from > 0 && self.has(Flaw::SkipsTheFirstOfNextPages) {
            items.remove(0);
        }
        let mut page = self.page(kind, &items, true)?;
        let mut more = answer["more"] == true;
        more |= self.has(Flaw::NeverEnds);
        let mut next = from + PAGE;
        if self.has(Flaw::WalksBackwards) && from > 0 {
            next = from.saturating_sub(PAGE);
        }
        if self.has(Flaw::DropsTheLastPage) && items.len() == PAGE && from >= PAGE {
            more = false;
        }
        if self.has(Flaw::ReadsOnePageOfChanges) && query.changed.is_some() {
            more = false;
        }
        *self.position.lock().unwrap() = next;
        page.next = more.then(|| json!(next));
        Ok(page)
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        let Some(most) = CAPABILITIES.by_id.get(&kind) else {
            return Err(self.error(ErrorKind::Unsupported, "Acme does not give these by id"));
        };
        if ids.is_empty() {
            return Ok(RecordPage::default());
        }
        let mut asked = ids.to_vec();
        if asked.len() > *most {
            if !self.has(Flaw::CutsTooManyIds) {
                return Err(self.error(ErrorKind::Invalid, "too many ids in one call"));
            }
            asked.truncate(*most);
        }
        if self.has(Flaw::GivesTheFirstIdAlone) {
            asked.truncate(1);
        }
        let answer = self.ask(Ask::Get(kind, asked.clone())).await?;
        let mut items = answer["items"].as_array().cloned().unwrap_or_default();
        if self.has(Flaw::FailsOnStrangers) && items.len() < asked.len() {
            return Err(self.error(ErrorKind::NotFound, "the vendor does not know this"));
        }
        if self.has(Flaw::GivesWhatWasRemoved) {
            let mut seen = self.seen.lock().unwrap();
            if items.is_empty() {
                items.extend(asked.iter().filter_map(|id| seen.get(id).cloned()));
            }
            let all = self.acme.state().of(kind).clone();
            seen.extend(
                all.into_iter()
                    .map(|(id, record)| (id, Value::Object(record))),
            );
        }
        self.page(kind, &items, false)
    }

    async fn push(&self, push: &Push) -> Result<PushOutcome> {
        let (declared, verb) = match push.external_id {
            Some(_) => (&CAPABILITIES.update, "change"),
            None => (&CAPABILITIES.create, "create"),
        };
        if !declared.contains(&push.kind) {
            let error = self.error(ErrorKind::Unsupported, "Acme does not take such records");
            return Err(error.with("verb", verb));
        }
        let refused = self.refused(push);
        if !refused.is_empty() {
            if let (Some(id), true) = (&push.external_id, self.has(Flaw::SendsTheRest)) {
                self.write(&self.sayable(push), id).await?;
            }
            return Ok(PushOutcome::Unsupported(refused));
        }
        let push = self.sayable(push);
        let written = match &push.external_id {
            Some(id) => self.write(&push, id).await,
            None => self.create(&push).await,
        };
        match written {
            Err(error) if error.kind() == ErrorKind::Ambiguous => {
                Ok(PushOutcome::Ambiguous(error.to_string()))
            }
            written => written,
        }
    }

    async fn find(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let Some(mail) = push
            .changed
            .text("email")
            .filter(|_| !self.has(Flaw::FindsNothing))
        else {
            return Ok(Vec::new());
        };
        let ask = match self.has(Flaw::FindsEverybody) {
            true => Ask::List(EntityKind::Guest, 0, None),
            false => Ask::Search(mail.to_owned()),
        };
        let answer = self.ask(ask).await?;
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        Ok(self.page(push.kind, &items, false)?.records)
    }

    async fn quote(&self, _: &StayQuery) -> Result<Vec<RemoteQuote>> {
        Err(self.error(ErrorKind::Unsupported, "Acme gives no prices"))
    }

    fn parse_event(&self, body: &[u8]) -> Result<Vec<PmsEvent>> {
        let body: Option<Value> = serde_json::from_slice(body).ok();
        let hotel = body.as_ref().and_then(|body| body["hotel"].as_str());
        let (Some(body), Some(hotel)) = (&body, hotel) else {
            return match self.has(Flaw::TakesAnyBody) {
                true => Ok(Vec::new()),
                false => Err(self.error(ErrorKind::Invalid, "not a body of Acme's")),
            };
        };
        let Some(guest) = body["guest"].as_str() else {
            return match self.flaw {
                Some(Flaw::FailsOnUnknownEvents) => {
                    Err(self.error(ErrorKind::Invalid, "not an event of Acme's"))
                }
                Some(Flaw::DropsUnknownEvents) => Ok(Vec::new()),
                _ => Ok(vec![PmsEvent::Unknown {
                    remote_property_id: Some(hotel.to_owned()),
                    name: "comet".to_owned(),
                }]),
            };
        };
        let id = if self.has(Flaw::NamesTheWrongRecord) {
            hotel
        } else {
            guest
        };
        Ok(vec![PmsEvent::Changed {
            remote_property_id: hotel.to_owned(),
            record: ExternalRef {
                kind: EntityKind::Guest,
                id: id.to_owned(),
            },
        }])
    }
}
