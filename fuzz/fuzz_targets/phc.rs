#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rocket_diesel_session_fuzz::phc(data));
