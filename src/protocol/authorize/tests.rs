//! What an authorization request may say, and how each fault of it is told.

use super::*;
use crate::domain::Resource;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "https://app.example/cb";

fn parse(query: &str, pkce: Pkce) -> Result<AuthorizeRequest, OAuthError> {
    parse_as(query, Terms::plain(pkce))
}

fn parse_as(query: &str, terms: Terms<'_>) -> Result<AuthorizeRequest, OAuthError> {
    let params = Params::decode(&format!("client_id=app&redirect_uri={REDIRECT}&{query}"));
    let id = client_id(&params).unwrap();
    let path = ReturnPath::find(&params, &[REDIRECT.parse().unwrap()]).unwrap();
    AuthorizeRequest::parse(&params, id, path, terms)
}

#[test]
fn a_good_request_is_read_whole() {
    let query = format!(
        "response_type=code&scope=openid+email+unknown&code_challenge={CHALLENGE}&code_challenge_method=S256&state=%20s%26&nonce=n&prompt=login+consent\
         &max_age=60&login_hint=x&display=page&ui_locales=de&claims_locales=fr&acr_values=1&anything=else&response_mode=form_post"
    );
    let request = parse(&query, Pkce::Required).unwrap();
    assert_eq!(request.scope.to_string(), "email openid");
    assert_eq!(request.return_path.state.as_deref(), Some(" s&"));
    assert_eq!(request.return_path.response_mode, ResponseMode::FormPost);
    assert_eq!(request.max_age, Some(60));
    assert!(request.prompts(Prompt::Login) && request.prompts(Prompt::Consent) && !request.prompts(Prompt::None));
    let json = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<AuthorizeRequest>(&json).unwrap(), request);
}

#[test]
fn each_fault_has_its_code() {
    use ErrorCode as E;
    let good = format!("response_type=code&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=S256");
    assert!(parse(&good, Pkce::Required).is_ok());
    for (query, code) in [
        ("scope=openid".to_owned(), E::InvalidRequest),
        ("response_type=token&scope=openid".to_owned(), E::UnsupportedResponseType),
        ("response_type=code+id_token&scope=openid".to_owned(), E::UnsupportedResponseType),
        ("response_type=code".to_owned(), E::InvalidScope),
        ("response_type=code&scope=cats".to_owned(), E::InvalidScope),
        ("response_type=code&scope=%22".to_owned(), E::InvalidScope),
        ("response_type=code&scope=openid".to_owned(), E::InvalidRequest),
        (format!("response_type=code&scope=openid&code_challenge={CHALLENGE}"), E::InvalidRequest),
        (format!("response_type=code&scope=openid&code_challenge={CHALLENGE}&code_challenge_method=plain"), E::InvalidRequest),
        ("response_type=code&scope=openid&code_challenge=short&code_challenge_method=S256".to_owned(), E::InvalidRequest),
        ("response_type=code&scope=openid&code_challenge_method=S256".to_owned(), E::InvalidRequest),
        (format!("{good}&response_mode=fragment"), E::InvalidRequest),
        (format!("{good}&prompt=none+login"), E::InvalidRequest),
        (format!("{good}&prompt=maybe"), E::InvalidRequest),
        (format!("{good}&max_age=-1"), E::InvalidRequest),
        (format!("{good}&scope=email"), E::InvalidRequest),
        (format!("{good}&unheard=1&unheard=2"), E::InvalidRequest),
        (format!("{good}&nonce={}", "n".repeat(1_001)), E::InvalidRequest),
        (format!("{good}&claims=x"), E::InvalidRequest),
        (format!("{good}&resource=https://unknown.example"), E::InvalidTarget),
        (format!("{good}&scope={}", "x".repeat(2_001)).replacen("scope=openid&", "", 1), E::InvalidScope),
        (format!("{good}&request=x"), E::RequestNotSupported),
        (format!("{good}&request_uri=x"), E::RequestUriNotSupported),
        (format!("{good}&registration=x"), E::RegistrationNotSupported),
    ] {
        assert_eq!(parse(&query, Pkce::Required).map_err(|e| e.code), Err(code), "{query}");
    }
    assert!(parse("response_type=code&scope=openid", Pkce::Optional).is_ok());
}

#[test]
fn a_client_asks_for_what_it_may_and_has_its_own_defaults() {
    let (most, levels) = ("openid email".parse().unwrap(), ["x".to_owned()]);
    let terms = Terms { scope: Some(&most), default_max_age: Some(60), default_acr_values: &levels, ..Terms::plain(Pkce::Optional) };
    let claims = r#"{"userinfo":{"email":null,"name":null}}"#;
    let request = parse_as(&format!("response_type=code&scope=openid+profile&claims={claims}"), terms).unwrap();
    assert_eq!((request.scope.to_string(), request.max_age, &request.acr_values[..]), ("openid".to_owned(), Some(60), &levels[..]));
    assert_eq!((request.agree_to.to_string(), request.claims.userinfo.len()), ("email".to_owned(), 1));
    assert_eq!(request.consent_scope().to_string(), "email openid");
    let request = parse_as("response_type=code&scope=openid&max_age=5&acr_values=y++z", terms).unwrap();
    assert_eq!((request.max_age, request.acr_values), (Some(5), vec!["y".to_owned(), "z".to_owned()]));
    assert_eq!(parse_as("response_type=code&scope=profile", terms).map_err(|e| e.code), Err(ErrorCode::InvalidScope));
    // Without openid nothing can be asked for by name.
    let request = parse_as(&format!("response_type=code&scope=email&claims={claims}"), terms).unwrap();
    assert_eq!((request.claims, request.agree_to), (ClaimsRequest::default(), Scope::default()));
}

#[test]
fn a_scope_of_a_resource_goes_with_its_resource() {
    let resources = [Resource {
        uri: "https://api.example".parse().unwrap(),
        name: "Garage".into(),
        scopes: [("garage:read".to_owned(), "See it".to_owned())].into(),
        clients: vec![],
        asset_audiences: Vec::new(),
    }];
    let known = Known { resources: &resources, userinfo: "https://id.example/userinfo" };
    let terms = Terms { known, ..Terms::plain(Pkce::Optional) };
    let good =
        parse_as("response_type=code&scope=openid+garage:read&resource=https://api.example&resource=https://id.example/userinfo", terms);
    let good = good.unwrap();
    assert_eq!(good.scope.to_string(), "garage:read openid");
    assert_eq!(good.resource.unwrap(), ["https://api.example", "https://id.example/userinfo"]);
    assert_eq!(good.agree_to.to_string(), "https://api.example", "userinfo tells no more than the scopes do");
    let alone = parse_as("response_type=code&scope=openid+garage:read", terms).unwrap_err();
    assert!(alone.code == ErrorCode::InvalidScope && alone.description.contains("https://api.example"), "{alone}");
    let unknown = parse_as("response_type=code&scope=openid&resource=https://api.example/", terms).unwrap_err();
    assert_eq!(unknown.code, ErrorCode::InvalidTarget);
}

#[test]
fn without_a_known_redirect_uri_there_is_no_return_path() {
    let registered = ["https://app.example/cb".parse().unwrap()];
    let find = |query: &str| ReturnPath::find(&Params::decode(query), &registered);
    assert!(find("domain=https://app.example/cb").is_ok());
    for query in [
        "",
        "redirect_uri=https://app.example/",
        "redirect_uri=https://app.example/cb&redirect_uri=https://app.example/cb",
        "redirect_uri=javascript:1",
    ] {
        assert!(matches!(find(query), Err(NoReturnPath::RedirectUri(_))), "{query}");
    }
    assert!(client_id(&Params::decode("client_id=a&client_id=b")).is_err());
    assert!(client_id(&Params::decode("")).is_err());
}
