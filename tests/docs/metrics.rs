//! Every metric of the server is in the table of docs/production.md with its labels, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::read::{between, code_spans, rows, sources, text};

/// A metric's labels, by its name.
type Metrics = BTreeMap<String, BTreeSet<String>>;

// `metrics::counter!("name", "label" => value)` and `metrics::histogram!("name", &labels)`, where `labels` are above:
// `[("label", value), …]`. Any other form is refused: it would be overlooked.
fn metrics_of(source: &str, found: &mut Metrics) {
    for (at, kind) in ["counter!", "histogram!", "gauge!"].iter().flat_map(|kind| source.match_indices(kind)) {
        assert!(source[..at].ends_with("metrics::"), "metrics are written `metrics::{kind}(…)`, for this test");
        let arguments = source[at + kind.len()..].strip_prefix('(').unwrap().split(';').next().unwrap();
        assert!(arguments.starts_with('"') && (!arguments.contains('&') || arguments.contains("&labels")), "not read: {arguments}");
        let (name, rest) = arguments.split_once(['\n', ',', ')']).unwrap();
        let labels: Vec<&str> = if rest.contains("&labels") {
            let list = source[..at].rsplit_once("let labels = [").unwrap().1.split(';').next().unwrap();
            let all = list.split("(\"").skip(1).map(|label| label.split('"').next().unwrap());
            let some = rest.split_once("&labels[..").map(|(_, rest)| rest.split(']').next().unwrap().parse().unwrap());
            all.take(some.unwrap_or(usize::MAX)).collect()
        } else {
            rest.split(" =>").filter_map(|label| label.strip_suffix('"')?.rsplit('"').next()).collect()
        };
        found.entry(name.trim_matches('"').to_owned()).or_default().extend(labels.into_iter().map(str::to_owned));
    }
}

#[test]
fn the_table_of_metrics_is_that_of_the_program() {
    let mut in_code = Metrics::new();
    for source in sources() {
        metrics_of(&fs::read_to_string(source).unwrap(), &mut in_code);
    }
    let document = text("docs/production.md");
    let table = rows(between(&document, "<!-- metrics -->", "<!-- /metrics -->"));
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
    let in_table: Metrics = table.iter().map(|row| (row[0].trim_matches('`').to_owned(), owned(code_spans(row[1])))).collect();
    assert_eq!(in_code, in_table);
}

#[test]
fn each_form_of_a_metric_is_read() {
    let source = r#"
        metrics::counter!("plain").increment(1);
        metrics::counter!("two", "one" => word, "other" => "value").increment(1);
        let labels = [("method", method.to_owned()), ("status", status.to_string())];
        metrics::counter!("all", &labels);
        metrics::histogram!("some", &labels[..1]);
        use metrics::Counter;
    "#;
    let mut found = Metrics::new();
    metrics_of(source, &mut found);
    let found: Vec<String> = found.into_iter().map(|(name, labels)| format!("{name} {labels:?}")).collect();
    assert_eq!(found, [r#"all {"method", "status"}"#, "plain {}", r#"some {"method"}"#, r#"two {"one", "other"}"#]);
}
