//! The OpenID AuthZEN Authorization API 1.0: questions whether somebody may do something with a thing, and their defaults in a batch.

use serde::Deserialize;
use serde_json::Value;

use super::error::ErrorCode;
use super::grant_request::json;
use super::problem::Problem;
use crate::domain::{AssetDid, ClientId, Permission};

/// The most questions of one request.
pub const MOST: usize = 50;

/// Whether a client has a permission on an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub subject: ClientId,
    pub asset: AssetDid,
    pub action: Permission,
}

/// How a batch is worked through (Authorization API 1.0 §7.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    /// Whether the first decision of that kind is the last of the batch.
    #[must_use]
    pub const fn ends_with(self, decision: bool) -> bool {
        matches!((self, decision), (Self::DenyOnFirstDeny, false) | (Self::PermitOnFirstPermit, true))
    }
}

/// What is asked at `/evaluations`.
#[derive(Clone, Debug)]
pub enum Batch {
    /// Authorization API 1.0 §7.1.1: without `evaluations` the request "behaves … as a single … Access Evaluation request".
    One(Question),
    Many {
        semantic: Semantic,
        /// What one of them lacks does not touch the others.
        questions: Vec<Result<Question, Problem>>,
    },
}

/// One question.
///
/// # Errors
/// The member that is wrong.
pub fn single(body: &[u8]) -> Result<Question, Problem> {
    json::<Parts>(body)?.question(&Parts::default())
}

/// Several of them.
///
/// # Errors
/// When the whole cannot be read, or there are too many.
pub fn batch(body: &[u8]) -> Result<Batch, Problem> {
    let body: BatchBody = json(body)?;
    let evaluations = body.evaluations.unwrap_or_default();
    if evaluations.is_empty() {
        return Ok(Batch::One(body.defaults.question(&Parts::default())?));
    }
    if evaluations.len() > MOST {
        return Err(Problem::of("evaluations", format_args!("there are more than {MOST}")));
    }
    let question = |parts: &Value| {
        let read = Parts::deserialize(parts).map_err(|reason| Problem::new(ErrorCode::InvalidRequest, reason.to_string()));
        read?.question(&body.defaults)
    };
    let semantic = body.options.unwrap_or_default().evaluations_semantic.unwrap_or_default();
    Ok(Batch::Many { semantic, questions: evaluations.iter().map(question).collect() })
}

// What is not named here (properties, context) is not looked at: the decision has facts of its own.
#[derive(Debug, Default, Deserialize)]
struct Parts {
    subject: Option<Entity>,
    resource: Option<Entity>,
    action: Option<Action>,
}

#[derive(Clone, Debug, Deserialize)]
struct Entity {
    r#type: String,
    id: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Action {
    name: String,
}

#[derive(Debug, Deserialize)]
struct BatchBody {
    #[serde(flatten)]
    defaults: Parts,
    evaluations: Option<Vec<Value>>,
    options: Option<Options>,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
    evaluations_semantic: Option<Semantic>,
}

impl Parts {
    // §7.1.1: a member of an evaluation takes the place of the default as a whole.
    fn question(&self, defaults: &Self) -> Result<Question, Problem> {
        let subject = self.subject.as_ref().or(defaults.subject.as_ref()).ok_or_else(|| Problem::of("subject", "missing"))?;
        let resource = self.resource.as_ref().or(defaults.resource.as_ref()).ok_or_else(|| Problem::of("resource", "missing"))?;
        let action = self.action.as_ref().or(defaults.action.as_ref()).ok_or_else(|| Problem::of("action", "missing"))?;
        if subject.r#type != "client" {
            return Err(Problem::of("subject", "its type must be client: decisions here are about what was granted to one"));
        }
        if resource.r#type != "asset" {
            return Err(Problem::of("resource", "its type must be asset, and its id a DID"));
        }
        Ok(Question {
            subject: subject.id.parse().map_err(|reason| Problem::of("subject", reason))?,
            asset: resource.id.parse().map_err(|reason| Problem::of("resource", reason))?,
            action: action.name.parse().map_err(|reason| Problem::of("action", reason))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const DID: &str = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:7";

    fn whole() -> Value {
        json!({
            "subject": { "type": "client", "id": "app", "properties": { "x": 1 } },
            "resource": { "type": "asset", "id": DID },
            "action": { "name": "see" },
            "context": { "time": "now" },
        })
    }

    fn ask(body: &Value) -> Result<Question, Option<&'static str>> {
        single(body.to_string().as_bytes()).map_err(|problem| problem.member)
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(ask(&whole()).unwrap().subject.as_str(), "app");
        for (member, value) in [
            ("subject", json!(null)),
            ("subject", json!({ "type": "user", "id": "a" })),
            ("subject", json!({ "type": "client", "id": "a b" })),
            ("resource", json!({ "type": "car", "id": DID })),
            ("resource", json!({ "type": "asset", "id": "7" })),
            ("action", json!(null)),
            ("action", json!({ "name": "a b" })),
        ] {
            let mut body = whole();
            body[member] = value;
            assert_eq!(ask(&body), Err(Some(member)), "{body}");
        }
    }

    #[test]
    fn an_evaluation_takes_what_it_lacks_from_the_defaults() {
        let mut body = whole();
        assert!(matches!(batch(body.to_string().as_bytes()).unwrap(), Batch::One(_)));
        body["evaluations"] = json!([{}, { "action": { "name": "drive" } }, { "subject": { "type": "user", "id": "x" } }, 7]);
        body["options"] = json!({ "evaluations_semantic": "deny_on_first_deny" });
        let Batch::Many { semantic, questions } = batch(body.to_string().as_bytes()).unwrap() else { panic!("one") };
        assert_eq!((semantic, questions.len()), (Semantic::DenyOnFirstDeny, 4));
        let actions: Vec<_> = questions.iter().map(|question| question.as_ref().ok().map(|asked| asked.action.as_str())).collect();
        assert_eq!(actions, [Some("see"), Some("drive"), None, None]);
        body["evaluations"] = json!(vec![json!({}); MOST + 1]);
        assert_eq!(batch(body.to_string().as_bytes()).unwrap_err().member, Some("evaluations"));
        body["options"] = json!({ "evaluations_semantic": "some" });
        assert!(batch(body.to_string().as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,60}") {
            let _ = batch(&bytes);
            let _ = ask(&json!({ "subject": { "type": "client", "id": text }, "resource": { "type": "asset", "id": text }, "action": { "name": text } }));
        }
    }
}
