//! A GraphQL request as it arrives: read within limits, before anything of it is looked up.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, Type,
};
use async_graphql::{Name, Positioned, Request, ServerError};
use async_graphql_value::Value;

use crate::protocol::error::ErrorCode;
use crate::web::fault::Fault;

/// Why a request is not answered.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is no GraphQL request.
    Body(Fault),
    /// It is one, with a query that cannot be.
    Query(ServerError),
}

/// The longest query, in bytes; that of the tools' introspection has some 2,000.
const LONGEST: usize = 8 * 1_024;
/// How many brackets may be open at a time: the parser goes down into each.
const DEEPEST: usize = 40;
/// How many lists and how many braces there may be in all: whatever stands in comments and texts, no query goes deeper than that.
const MOST_LISTS: usize = 60;
const MOST_BRACES: usize = 300;
/// How many fields there may be once each fragment stands where it is used: two that use each other's double at every step.
const MOST_FIELDS: usize = 2_000;

/// Reads a body: `{"query", "variables", "operationName"}`.
pub(super) fn read(body: &[u8]) -> Result<Request, Unread> {
    let fault = |words: &'static str| Unread::Body(Fault::new(ErrorCode::InvalidRequest, words));
    let mut request: Request = serde_json::from_slice(body).map_err(|_| fault("the body is no GraphQL request: {\"query\": \"…\"}"))?;
    if request.query.trim().is_empty() {
        return Err(fault("there is no query"));
    }
    let refuse = |words: String| Unread::Query(ServerError::new(words, None));
    if request.query.len() > LONGEST {
        return Err(refuse(format!("the query is longer than {LONGEST} bytes")));
    }
    // Not every database can hold it, and nothing here is called by it.
    let nul = |text: &str| text.contains('\0') || text.to_ascii_lowercase().contains("\\u0000") || text.contains("\\u{0");
    if nul(&request.query) || serde_json::to_string(&request.variables).is_ok_and(|variables| nul(&variables)) {
        return Err(refuse("the request holds a NUL character".to_owned()));
    }
    let count = |bracket: u8| request.query.bytes().filter(|byte| *byte == bracket).count();
    if deepest(&request.query) > DEEPEST || count(b'[') > MOST_LISTS || count(b'{') > MOST_BRACES {
        return Err(refuse(format!("the query goes deeper than {DEEPEST} brackets")));
    }
    let mut document = parse_query(&request.query).map_err(|error| Unread::Query(error.into()))?;
    if asks_for_the_schema(&document) {
        return Err(refuse("a query of the schema gives its fields no other names".to_owned()));
    }
    if !fits(&document) {
        return Err(refuse(format!("the query has more than {MOST_FIELDS} fields, or fragments that use each other")));
    }
    retype(&mut document);
    request.set_parsed_query(document);
    Ok(request)
}

// How many brackets are open at a time. The parser skips comments and texts: what they close is not closed. What they open counts, so that
// the number is never too small.
fn deepest(query: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0_usize);
    let mut rest = query.as_bytes();
    while let [first, after @ ..] = rest {
        match first {
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            b'#' | b'"' => {
                let length = if *first == b'#' { comment(rest) } else { text(rest) };
                let (inside, behind) = rest.split_at(length);
                open += inside.iter().filter(|byte| b"{[(".contains(byte)).count();
                deepest = deepest.max(open);
                rest = behind;
                continue;
            }
            _ => {}
        }
        deepest = deepest.max(open);
        rest = after;
    }
    deepest
}

// GraphQL §2.1.4: a comment goes on until the end of its line.
fn comment(rest: &[u8]) -> usize {
    rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len())
}

// GraphQL §2.9.4: a text between quotes is on one line, with escapes; one between three may have lines, and `\"""` for three quotes. One that
// does not end is none, and the parser says so.
fn text(rest: &[u8]) -> usize {
    if let Some(block) = rest.strip_prefix(b"\"\"\"") {
        let mut at = 0;
        while at < block.len() {
            match block.get(at..) {
                Some(part) if part.starts_with(b"\\\"\"\"") => at += 4,
                Some(part) if part.starts_with(b"\"\"\"") => return 3 + at + 3,
                _ => at += 1,
            }
        }
        return rest.len();
    }
    let mut escaped = false;
    let end = rest.iter().skip(1).position(|byte| {
        let ends = matches!(byte, b'\n' | b'\r') || (*byte == b'"' && !escaped);
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |length| length + 2)
}

// Whether all operations together are small enough, with their fragments.
fn fits(document: &ExecutableDocument) -> bool {
    let mut sizes = HashMap::new();
    let all = operations(document).map(|operation| &operation.selection_set.node);
    let size = all.map(|set| size(set, document, &mut sizes)).try_fold(0_usize, |sum, size| Some(sum.saturating_add(size?)));
    size.is_some_and(|size| size <= MOST_FIELDS)
}

// How many fields a selection has; each fragment is counted once and remembered. `None`: a fragment uses itself.
fn size<'d>(set: &'d SelectionSet, document: &'d ExecutableDocument, sizes: &mut HashMap<&'d str, Option<usize>>) -> Option<usize> {
    let mut sum = 0_usize;
    for selection in &set.items {
        let more = match &selection.node {
            Selection::Field(field) => size(&field.node.selection_set.node, document, sizes)?.saturating_add(1),
            Selection::InlineFragment(inline) => size(&inline.node.selection_set.node, document, sizes)?.saturating_add(1),
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match (sizes.get(name), document.fragments.get(name)) {
                    (Some(known), _) => (*known)?,
                    // One that is not there is told of later.
                    (None, None) => 1,
                    (None, Some(fragment)) => {
                        sizes.insert(name, None);
                        let size = size(&fragment.node.selection_set.node, document, sizes)?.saturating_add(1);
                        sizes.insert(name, Some(size));
                        size
                    }
                }
            }
        };
        sum = sum.saturating_add(more);
    }
    Some(sum)
}

// Whether a query of the schema has aliases. Tools need none; with them it could have each description a thousand times, at no cost.
fn asks_for_the_schema(document: &ExecutableDocument) -> bool {
    let all = || {
        let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
        operations(document).map(|operation| &operation.selection_set.node).chain(fragments)
    };
    let of_schema = |name: &str| matches!(name, "__schema" | "__type");
    all().any(|set| any_field(set, &|field| of_schema(field.name.node.as_str())))
        && all().any(|set| any_field(set, &|field| field.alias.is_some()))
}

fn any_field(set: &SelectionSet, is: &impl Fn(&Field) -> bool) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => is(&field.node) || any_field(&field.node.selection_set.node, is),
        Selection::InlineFragment(inline) => any_field(&inline.node.selection_set.node, is),
        Selection::FragmentSpread(_) => false,
    })
}

fn operations(document: &ExecutableDocument) -> impl Iterator<Item = &OperationDefinition> {
    document.operations.iter().map(|(_, operation)| &operation.node)
}

// A token id may be a number or a text. GraphQL lets a literal be either, but a variable only what it was declared as: clients declare
// `$tokenId: Int!`, or `String!` where it may be large. So a variable that is used as a token id is taken for one.
fn retype(document: &mut ExecutableDocument) {
    let mut names = HashSet::new();
    let sets = operations(document).map(|operation| &operation.selection_set.node);
    for set in sets.chain(document.fragments.values().map(|fragment| &fragment.node.selection_set.node)) {
        token_ids(set, &mut names);
    }
    let retype = |operation: &mut Positioned<OperationDefinition>| {
        for variable in &mut operation.node.variable_definitions {
            let kind = &mut variable.node.var_type.node;
            if names.contains(&variable.node.name.node) && is_plain(kind) {
                kind.base = BaseType::Named(Name::new("BigInt"));
            }
        }
    };
    match &mut document.operations {
        DocumentOperations::Single(operation) => retype(operation),
        DocumentOperations::Multiple(all) => all.values_mut().for_each(retype),
    }
}

fn is_plain(kind: &Type) -> bool {
    matches!(&kind.base, BaseType::Named(name) if ["Int", "String", "ID"].contains(&name.as_str()))
}

// The variables that a selection uses as token ids. What was parsed is not deep.
fn token_ids(set: &SelectionSet, names: &mut HashSet<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                for (argument, value) in &field.node.arguments {
                    match &value.node {
                        Value::Variable(name) if argument.node == "tokenId" => {
                            names.insert(name.clone());
                        }
                        Value::Object(members) => {
                            if let Some(Value::Variable(name)) = members.get("tokenId") {
                                names.insert(name.clone());
                            }
                        }
                        _ => {}
                    }
                }
                token_ids(&field.node.selection_set.node, names);
            }
            Selection::InlineFragment(inline) => token_ids(&inline.node.selection_set.node, names),
            Selection::FragmentSpread(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn words(query: &str) -> Option<String> {
        match read(json!({ "query": query }).to_string().as_bytes()) {
            Ok(_) => None,
            Err(Unread::Query(error)) => Some(error.message),
            Err(Unread::Body(fault)) => Some(format!("{fault:?}")),
        }
    }

    #[test]
    fn what_is_too_much_is_refused_unread() {
        for (query, told) in [
            ("{ vehicles { totalCount } }".to_owned(), None),
            (format!("{{ {} }}", "a ".repeat(2_000)), None),
            (format!("{{ {} }}", "a ".repeat(2_001)), Some("fields")),
            (format!("{{ {} }}", "a ".repeat(4_200)), Some("longer than")),
            ("{a".repeat(41), Some("deeper than")),
            (format!("{{ a(b: {}1{}) }}", "[".repeat(45), "]".repeat(45)), Some("deeper than")),
            (format!("{{ {} }}", "a(b: [1]) ".repeat(61)), Some("deeper than")),
            ("{ ...a } fragment a on Query { ...a }".to_owned(), Some("use each other")),
            ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(), Some("use each other")),
            ("{".to_owned(), Some("-->")),
            (String::new(), Some("there is no query")),
        ] {
            let said = words(&query);
            match told {
                None => assert_eq!(said, None, "{query:.60}"),
                Some(told) => assert!(said.as_deref().is_some_and(|said| said.contains(told)), "{query:.60}: {said:?}"),
            }
        }
        // What a comment or a text closes is not closed: the parser went down until its stack was used up.
        for closing in
            ["#]]]]]]]]]]]]]]]]]]]]\n", "\"]]]]]]]]]]]]]]]]]]]]\" ", "\"\"\"\n]]]]]]]]]]]]]]]]]]]]\"\"\" ", "\"\\\"]]]]]]]]]]]]]]]]]]]]\" "]
        {
            let hidden = format!("{{ a(b: {}1{}) }}", format!("{}{closing}", "[".repeat(20)).repeat(3), "]".repeat(60));
            assert!(words(&hidden).is_some_and(|told| told.contains("deeper than")), "{closing}");
        }
        assert_eq!(words("{ a(b: \"]]\", c: \"\"\"{ # \"\"\") } # }}"), None);
        // The schema is told once, by the names that it has.
        let told = words("{ a: __schema { types { name } } b: __schema { types { name } } }");
        assert!(told.is_some_and(|told| told.contains("no other names")));
        assert!(words("{ a(b: \"\\u0000\") }").is_some_and(|told| told.contains("NUL")));
        // Each uses the next one twice: 2^40 fields in two kilobytes.
        let bomb =
            (0..40).fold("{ ...f0 }".to_owned(), |query, n| query + &format!(" fragment f{n} on Query {{ ...f{0} ...f{0} }}", n + 1));
        assert!(words(&format!("{bomb} fragment f40 on Query {{ a }}")).is_some_and(|told| told.contains("fields")));
        for body in ["", "[]", "{}", "{\"query\": 1}", "[{\"query\": \"{a}\"}]"] {
            assert!(matches!(read(body.as_bytes()), Err(Unread::Body(_))), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,100}", query in "[{}()\\[\\]$:!.a-c0-9\" @#&|,\\\\-]{0,80}") {
            let _ = (read(text.as_bytes()), read(json!({ "query": query }).to_string().as_bytes()));
        }
    }
}
