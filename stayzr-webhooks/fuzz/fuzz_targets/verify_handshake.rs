#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stayzr_webhooks_fuzz::verify_handshake(input));
