//! Knowledge taken in, found again, and kept apart.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;

use async_trait::async_trait;
use stayzr_agents::{
    knowledge::{
        EmbeddedIndex, InProcessKnowledge, KnowledgeBase, NewDocument, OfflineEmbedder,
        SearchRequest, Turn, conformance,
    },
    model::embedder::{Calibration, Embedder},
};
use stayzr_core::{
    ErrorKind, Result,
    clock::SystemClock,
    ids::{OrganizationId, PropertyId},
    model::{Passage, Tier},
    port::knowledge::EmbedderMark,
    tenant::TenantScope,
};

struct Hotel {
    knowledge: KnowledgeBase,
    organization: OrganizationId,
    property: PropertyId,
}

impl Hotel {
    fn new() -> Self {
        let store = Arc::new(InProcessKnowledge::default());
        let index = Arc::new(EmbeddedIndex::new(store.clone()));
        Self {
            knowledge: KnowledgeBase::new(
                store,
                index,
                Arc::new(OfflineEmbedder),
                Arc::new(SystemClock),
            ),
            organization: OrganizationId::generate(&SystemClock),
            property: PropertyId::generate(&SystemClock),
        }
    }

    fn scope(&self) -> TenantScope {
        TenantScope::property(self.organization, self.property)
    }

    async fn put(&self, file_name: &str, content: &str) {
        self.put_for(self.scope(), Some(self.property), file_name, content)
            .await;
    }

    async fn put_for(
        &self,
        scope: TenantScope,
        property_id: Option<PropertyId>,
        file_name: &str,
        content: &str,
    ) {
        let new = new_document(property_id, file_name, content);
        self.knowledge.put(scope, new).await.unwrap();
    }

    async fn ask(&self, question: &str) -> Vec<Passage> {
        let request = SearchRequest::new(None, question);
        self.knowledge.search(self.scope(), &request).await.unwrap()
    }
}

fn new_document(property_id: Option<PropertyId>, file_name: &str, content: &str) -> NewDocument {
    NewDocument {
        property_id,
        category: "general".to_owned(),
        file_name: file_name.to_owned(),
        content_type: String::new(),
        content: content.as_bytes().to_vec(),
    }
}

const HOUSE: &str = "\
# Breakfast
## Hours
Breakfast is served from 7:00 to 10:30, on Sundays until 11:30.
## Price
Breakfast costs 18 EUR per person.
# Internet
The password of the wifi network is printed on the key card.
# Garage
The garage below the house costs 24 EUR a night.
# Pool
The pool on the roof is open from 9:00 to 20:00.
# Dogs
Dogs of up to 12 kg are welcome for 20 EUR a night.
";

#[tokio::test]
async fn the_embedded_index_keeps_its_promises() {
    let store = Arc::new(InProcessKnowledge::default());
    let index = Arc::new(EmbeddedIndex::new(store.clone()));
    conformance::run(store, index).await;
}

#[tokio::test]
async fn an_index_without_memory_keeps_its_promises_too() {
    let store = Arc::new(InProcessKnowledge::default());
    let index = Arc::new(EmbeddedIndex::with_capacity(store.clone(), 0));
    conformance::run(store, index).await;
}

#[tokio::test]
async fn a_fact_of_one_unit_is_found_in_its_row() {
    let hotel = Hotel::new();
    let rows: String = (1..60)
        .map(|n| format!("{n}B,code-{n}7,{} guests\n", n % 5))
        .collect();
    hotel
        .put("apartments.csv", &format!("unit,wifi code,sleeps\n{rows}"))
        .await;
    let found = hotel.ask("What is the wifi code of unit 41B?").await;
    assert_eq!(
        found[0].text,
        "apartments — unit: 41B; wifi code: code-417; sleeps: 1 guests"
    );
    assert_eq!(found[0].match_tier, Tier::Strict);
}

#[tokio::test]
async fn a_passage_keeps_its_headings_and_is_found_by_them() {
    let hotel = Hotel::new();
    hotel.put("house.md", HOUSE).await;
    let found = hotel.ask("What does breakfast cost?").await;
    assert_eq!(found[0].heading, "Breakfast › Price");
    assert_eq!(found[0].text, "Breakfast costs 18 EUR per person.");
}

#[tokio::test]
async fn guests_ask_in_their_own_language_and_with_slips() {
    let hotel = Hotel::new();
    hotel.put("house.md", HOUSE).await;
    for (question, heading) in [
        ("A que horas é o pequeno-almoço?", "Breakfast › Hours"),
        ("Was kostet der Parkplatz?", "Garage"),
        ("¿A qué hora abre la piscina?", "Pool"),
        ("Puis-je venir avec mon chien ?", "Dogs"),
        ("Qual è la password del wifi?", "Internet"),
        ("when is brekfast", "Breakfast › Hours"),
        ("can i bring my puppy", "Dogs"),
        ("泳池几点开放", "Pool"),
    ] {
        let found = hotel.ask(question).await;
        assert_eq!(found[0].heading, heading, "{question}: {found:#?}");
        assert_ne!(found[0].match_tier, Tier::Fallback, "{question}");
    }
}

#[tokio::test]
async fn both_halves_of_a_double_question_are_answered_first() {
    let hotel = Hotel::new();
    hotel.put("house.md", HOUSE).await;
    let mut request = SearchRequest::new(
        None,
        "When is breakfast and what's the wifi password policy?",
    );
    request.limit = 2;
    let found = hotel
        .knowledge
        .search(hotel.scope(), &request)
        .await
        .unwrap();
    let mut headings: Vec<&str> = found
        .iter()
        .map(|passage| passage.heading.as_str())
        .collect();
    headings.sort_unstable();
    assert_eq!(headings, ["Breakfast › Hours", "Internet"]);
}

#[tokio::test]
async fn a_follow_up_is_about_what_the_guest_asked_before() {
    let hotel = Hotel::new();
    hotel.put("house.md", HOUSE).await;
    let mut request = SearchRequest::new(None, "And on Sundays?");
    request.history = vec![
        Turn::parse("U: When do you serve breakfast?"),
        Turn::parse("S: From 7:00 to 10:30."),
    ];
    let found = hotel
        .knowledge
        .search(hotel.scope(), &request)
        .await
        .unwrap();
    assert_eq!(found[0].heading, "Breakfast › Hours");
}

#[tokio::test]
async fn what_nobody_wrote_about_is_marked_as_a_fallback() {
    let hotel = Hotel::new();
    hotel.put("house.md", HOUSE).await;
    let found = hotel
        .ask("Do you have a helicopter landing platform?")
        .await;
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|passage| passage.match_tier == Tier::Fallback),
        "{found:#?}"
    );
    let found = hotel.ask("When is breakfast?").await;
    assert_eq!(found[0].match_tier, Tier::Strict);
    assert!(
        found.windows(2).all(|pair| pair[0].score >= pair[1].score),
        "best first"
    );
}

#[tokio::test]
async fn a_search_sees_what_was_put_and_deleted_since_the_last() {
    let hotel = Hotel::new();
    hotel.put("house.md", HOUSE).await;
    assert!(hotel.ask("Is there a sauna?").await[0].match_tier == Tier::Fallback);
    let new = new_document(
        Some(hotel.property),
        "sauna.txt",
        "The sauna opens at 16:00.",
    );
    let sauna = hotel.knowledge.put(hotel.scope(), new).await.unwrap();
    assert_eq!(
        hotel.ask("Is there a sauna?").await[0].file_name,
        "sauna.txt"
    );
    hotel.put("sauna.txt", "The sauna opens at 17:00.").await;
    let found = hotel.ask("When does the sauna open?").await;
    assert!(found[0].text.contains("17:00"));
    assert!(found.iter().all(|passage| !passage.text.contains("16:00")));
    assert!(
        hotel
            .knowledge
            .delete(hotel.scope(), sauna.id)
            .await
            .unwrap()
    );
    assert!(
        !hotel
            .knowledge
            .delete(hotel.scope(), sauna.id)
            .await
            .unwrap()
    );
    let found = hotel.ask("When does the sauna open?").await;
    assert!(found.iter().all(|passage| passage.file_name != "sauna.txt"));
}

#[tokio::test]
async fn invariant_t_no_question_reaches_another_hotels_passages() {
    let hotel = Hotel::new();
    let sibling = PropertyId::generate(&SystemClock);
    let stranger = OrganizationId::generate(&SystemClock);
    let whole = TenantScope::organization(hotel.organization);
    hotel
        .put("pool.txt", "Our pool is heated to 28 degrees.")
        .await;
    hotel
        .put_for(
            whole,
            Some(sibling),
            "pool.txt",
            "The sibling's pool is closed.",
        )
        .await;
    hotel
        .put_for(
            whole,
            None,
            "group.txt",
            "Every pool of the group has a lifeguard.",
        )
        .await;
    hotel
        .put_for(
            TenantScope::organization(stranger),
            None,
            "pool.txt",
            "The stranger's pool is salty.",
        )
        .await;
    for question in [
        "pool",
        "Is the pool salty or closed?",
        "sibling's stranger's pool",
    ] {
        let found = hotel.ask(question).await;
        let mut files: Vec<&str> = found
            .iter()
            .map(|passage| passage.file_name.as_str())
            .collect();
        files.sort_unstable();
        assert_eq!(files, ["group.txt", "pool.txt"], "{question}");
        assert!(found.iter().all(|passage| {
            !passage.text.contains("sibling") && !passage.text.contains("stranger")
        }));
    }
    let request = SearchRequest::new(Some(sibling), "pool");
    let refused = hotel
        .knowledge
        .search(hotel.scope(), &request)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let new = new_document(Some(sibling), "x.txt", "x");
    let refused = hotel.knowledge.put(hotel.scope(), new).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let new = new_document(None, "x.txt", "x");
    let refused = hotel.knowledge.put(hotel.scope(), new).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
}

/// The offline embedder under another name.
struct Renamed;

#[async_trait]
impl Embedder for Renamed {
    fn mark(&self) -> EmbedderMark {
        EmbedderMark {
            embedder: "another-1".to_owned(),
            ..OfflineEmbedder.mark()
        }
    }

    fn calibration(&self) -> &Calibration {
        static CALIBRATION: std::sync::OnceLock<Calibration> = std::sync::OnceLock::new();
        CALIBRATION.get_or_init(|| OfflineEmbedder.calibration().clone())
    }

    async fn embed_documents(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        OfflineEmbedder.embed_documents(texts).await
    }

    async fn embed_queries(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        OfflineEmbedder.embed_queries(texts).await
    }
}

#[tokio::test]
async fn another_embedder_is_refused_for_reading_and_writing() {
    let store = Arc::new(InProcessKnowledge::default());
    let index = Arc::new(EmbeddedIndex::new(store.clone()));
    let with = |embedder: Arc<dyn Embedder>| {
        KnowledgeBase::new(
            store.clone(),
            index.clone(),
            embedder,
            Arc::new(SystemClock),
        )
    };
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    let new = || new_document(None, "a.txt", "The pool is open.");
    with(Arc::new(OfflineEmbedder))
        .put(scope, new())
        .await
        .unwrap();
    let other = with(Arc::new(Renamed));
    let refused = other.put(scope, new()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let refused = other
        .search(scope, &SearchRequest::new(None, "pool"))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn the_cache_stays_within_its_bytes() {
    let store = Arc::new(InProcessKnowledge::default());
    let capacity = 64 << 10;
    let index = Arc::new(EmbeddedIndex::with_capacity(store.clone(), capacity));
    let knowledge = KnowledgeBase::new(
        store,
        index.clone(),
        Arc::new(OfflineEmbedder),
        Arc::new(SystemClock),
    );
    let organization = OrganizationId::generate(&SystemClock);
    let mut largest = 0;
    for n in 0..12 {
        let property = PropertyId::generate(&SystemClock);
        let scope = TenantScope::property(organization, property);
        let content = format!("Pool {n} is open.\n\nGym {n} is closed.\n\nBar {n} is full.");
        knowledge
            .put(scope, new_document(Some(property), "a.txt", &content))
            .await
            .unwrap();
    }
    let scopes: Vec<TenantScope> = (0..12)
        .map(|_| TenantScope::organization(OrganizationId::generate(&SystemClock)))
        .collect();
    for scope in scopes {
        let content = "The pool is open.\n\nThe gym is closed.";
        knowledge
            .put(scope, new_document(None, "a.txt", content))
            .await
            .unwrap();
        let found = knowledge
            .search(scope, &SearchRequest::new(None, "pool"))
            .await
            .unwrap();
        assert!(found[0].text.contains("pool"));
        assert!(index.cached_bytes() <= capacity);
        largest = largest.max(index.cached_bytes());
    }
    assert!(largest > capacity / 2, "it does keep what fits: {largest}");
}
