use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use stayzr_core::{Error, Result, port::backend::HotelBackend};

use super::{
    CheckAvailability, CreateServiceRequest, FindReservation, HandOff, PassageSearch,
    PropertyFacts, QuoteStay, SearchKnowledge, Tool, ToolContext, ToolOutput,
};
use crate::model::ToolSpec;

/// Tools by name.
#[derive(Clone, Default)]
pub struct Registry {
    tools: BTreeMap<String, Arc<dyn Tool>>,
}

impl Registry {
    /// No tools.
    pub fn new() -> Self {
        Self::default()
    }

    /// The seven tools of the house over a hotel and its knowledge.
    pub fn hotel(backend: Arc<dyn HotelBackend>, search: Arc<dyn PassageSearch>) -> Self {
        let mut registry = Self::new();
        registry.add(Arc::new(FindReservation::new(Arc::clone(&backend))));
        registry.add(Arc::new(CheckAvailability::new(Arc::clone(&backend))));
        registry.add(Arc::new(QuoteStay::new(Arc::clone(&backend))));
        registry.add(Arc::new(PropertyFacts));
        registry.add(Arc::new(SearchKnowledge::new(search)));
        registry.add(Arc::new(CreateServiceRequest::new(backend)));
        registry.add(Arc::new(HandOff));
        registry
    }

    /// Adds a tool, in place of one with the same name.
    pub fn add(&mut self, tool: Arc<dyn Tool>) {
        self.tools.insert(tool.spec().name, tool);
    }

    /// How a model sees the named tools; names without a tool are left out.
    pub fn specs(&self, names: &[&str]) -> Vec<ToolSpec> {
        names
            .iter()
            .filter_map(|name| self.tools.get(*name))
            .map(|tool| tool.spec())
            .collect()
    }

    /// How a model sees all tools, by name.
    pub fn all_specs(&self) -> Vec<ToolSpec> {
        self.tools.values().map(|tool| tool.spec()).collect()
    }

    /// Runs a tool; see [`Tool::call`]. NotFound if there is none of this name.
    pub async fn call(
        &self,
        context: &ToolContext,
        name: &str,
        arguments: &Value,
        index: u32,
    ) -> Result<ToolOutput> {
        let tool = self
            .tools
            .get(name)
            .ok_or_else(|| Error::not_found("tool.call", "no tool of this name"))?;
        tool.call(context, arguments, index).await
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}
