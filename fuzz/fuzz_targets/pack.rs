#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ringshift_fuzz::targets::pack::run(data));
