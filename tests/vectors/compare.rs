//! Asks one question after the other and lists the answers that differ.

use serde_json::Value;

/// Compares `answer` with every line of a file; `agrees` gets what we say and what was measured.
pub fn all(lines: &str, answer: fn(&Value) -> Value, agrees: fn(&Value, &Value) -> bool) {
    let mut differing = Vec::new();
    let mut count = 0;
    for line in lines.lines() {
        let case: Value = serde_json::from_str(line).expect("a vector is JSON");
        let (input, want) = (&case["in"], &case["out"]);
        let got = answer(input);
        let errors = (got.get("err").is_some(), want.get("err").is_some());
        let good = match errors {
            (false, false) => agrees(&got, want),
            (ours, theirs) => ours && theirs,
        };
        count += 1;
        if !good {
            differing.push(format!("in   {input}\nours {got}\nwant {want}"));
        }
    }
    assert!(count > 0, "no vectors");
    let shown = differing.iter().take(5).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(
        differing.is_empty(),
        "{} of {count} differ\n{shown}",
        differing.len()
    );
}
