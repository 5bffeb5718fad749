//! Agents that call Stayzr's tools over HTTP, signed as `STAYZR-AGENT-V1` ([`AgentSignature`]).

mod verify;

pub use verify::{AgentRequest, AgentSignature};
