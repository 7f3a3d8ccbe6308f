//! What pages are made of for the tests: friendly or hostile, as the caller has it.

use super::super::*;
use super::ADDRESS;

pub(super) fn email(frame: Frame, stage: EmailStage, text: &str) -> EmailPage {
    let problem = Some(EmailProblem { title: text.to_owned(), words: text.to_owned() });
    EmailPage { frame, interaction: text.to_owned(), csrf: text.to_owned(), stage, problem }
}

pub(super) fn consent(frame: Frame, name: &str, host: &str, already: bool) -> ConsentPage {
    let line = |token: &str, title: &str, detail: &str| ScopeLine { token: token.into(), title: title.into(), detail: detail.into() };
    ConsentPage {
        frame,
        client_name: name.to_owned(),
        destination: Destination::Host(host.to_owned()),
        client_id: "0x52908400098527886E0F7030069857D2E4169EE7".to_owned(),
        client_logo: Some(host.to_owned()),
        vouching: Vouching::Site(host.to_owned()),
        client_pages: vec![Link { href: host.to_owned(), label: name.to_owned() }],
        license: true,
        scopes: vec![
            line("openid", "Know that it is you", "A name that stays the same each time you come back."),
            line("email", "See your wallet address", "The address you sign in with, and nothing else in the wallet."),
            line(host, name, host),
        ],
        assets: vec![],
        problem: None,
        identity: ADDRESS.to_owned(),
        account: "0197a3c2-41f0-7cc1-a6a1-6d5b2f0f9a11".to_owned(),
        already,
        interaction: name.to_owned(),
        csrf: name.to_owned(),
    }
}

fn asset(name: &str, chosen: bool) -> AssetLine {
    let did = "did:erc721:137:0xbA5738a18d83D41847dfFbDC6101d37C69c9B0cF:186612";
    AssetLine { name: name.to_owned(), id: "no. 186612".to_owned(), did: did.to_owned(), value: format!("0 {did}"), chosen }
}

pub(super) fn blocks(name: &str) -> Vec<AssetBlock> {
    let permission = |title: &str, grave| PermissionLine {
        name: "privilege:GetLocationHistory".to_owned(),
        title: title.to_owned(),
        sentence: "See where the car is now and where it has been.".to_owned(),
        grave,
        chosen: grave,
    };
    let block = |number, subject, lack| AssetBlock {
        number,
        subject,
        needed: vec![permission("See its location and history", true)],
        optional: vec![permission(name, false), permission("Send it commands", true)],
        events: vec![name.to_owned()],
        purpose: Some(name.to_owned()),
        spans: vec![
            SpanLine { seconds: 7_776_000, label: "90 days, until 23 February 2027".to_owned(), chosen: true },
            SpanLine { seconds: 86_400, label: name.to_owned(), chosen: false },
        ],
        lack,
    };
    vec![
        block(0, AssetSubject::These(vec![asset(name, true)]), None),
        block(1, AssetSubject::Pick { how_many: name.to_owned(), from: vec![asset(name, true), asset("Tesla Model 3 2024", false)] }, None),
        block(2, AssetSubject::All(vec![asset(name, true)]), Some(name.to_owned())),
    ]
}

pub(super) fn account_assets(frame: Frame, name: &str) -> AccountAssetsPage {
    let grant = || GrantLine {
        id: "01900000-0000-7000-8000-000000000001".to_owned(),
        app: name.to_owned(),
        asset: name.to_owned(),
        may: vec![name.to_owned(), "Send it commands".to_owned()],
        purpose: Some(name.to_owned()),
        since: "25 November 2026".to_owned(),
        until: "23 February 2027".to_owned(),
    };
    AccountAssetsPage {
        frame,
        csrf: name.to_owned(),
        living: vec![grant()],
        over: vec![grant()],
        mine: vec![asset(name, false)],
        claimed: Some(name.to_owned()),
        problem: Some(name.to_owned()),
    }
}

pub(super) fn frame(title: &str, dev: bool) -> Frame {
    Frame { nonce: "bm9uY2U".to_owned(), title: title.to_owned(), dev, request_id: "0197a3c2-41f0-7cc1-a6a1-6d5b2f0f9a11".to_owned() }
}

fn profile() -> Vec<ProfileField> {
    let field = |name: &str, label: &str, value: &str, kind: &str, hint: &str| ProfileField {
        name: name.into(),
        label: label.into(),
        value: value.into(),
        kind: kind.into(),
        hint: hint.into(),
    };
    vec![
        field("name", "Full name", "Ada Lovelace", "text", ""),
        field("nickname", "What friends call you", "", "text", ""),
        field("picture", "Picture", "", "url", "The address of a picture on the web, beginning with https://"),
        field("birthdate", "Birthday", "1815-12-10", "date", ""),
        field("locale", "Language", "en-GB", "text", "A language tag, like en-GB or de"),
    ]
}

pub(super) fn ways() -> Ways {
    Ways { order: vec!["web3".to_owned()], more: true, ..Ways::default() }
}

pub(super) fn way_name(name: &str) -> WayName {
    WayName { kind: "Wallet".to_owned(), name: name.to_owned() }
}

pub(super) fn way(name: &str, remove: &str, removable: bool) -> IdentityLine {
    IdentityLine {
        way: way_name(name),
        provider: "web3".to_owned(),
        subject: ADDRESS.to_owned(),
        address: (name != ADDRESS).then(|| ADDRESS.to_owned()),
        since: "3 May 2026".to_owned(),
        last_used: name.to_owned(),
        current: removable,
        off: !removable,
        renamable: true,
        remove: removable.then(|| remove.to_owned()),
    }
}

pub(super) fn session(device: &str, current: bool) -> SessionLine {
    SessionLine {
        id: "0197a3c2-41f0-7cc1-a6a1-6d5b2f0f9a11".to_owned(),
        device: device.to_owned(),
        way: way_name(ADDRESS),
        since: "12 May 2026".to_owned(),
        last_seen: "today at 09:14".to_owned(),
        current,
    }
}

pub(super) fn remove_way(frame: Frame, words: &str, removable: RemovableWay) -> RemoveWayPage {
    RemoveWayPage {
        frame,
        csrf: words.to_owned(),
        way: way_name(words),
        provider: "web3".to_owned(),
        subject: words.to_owned(),
        wallet: true,
        email: Some(words.to_owned()),
        removable,
    }
}

pub(super) fn account(problem: Option<&str>, full: bool) -> AccountPage {
    let app = |name: &str, id: &str| AppLine {
        client_id: id.into(),
        name: name.into(),
        scopes: vec!["Know that it is you".into(), "See your wallet address".into()],
        since: "3 May 2026".into(),
        start: None,
    };
    AccountPage {
        passwords: true,
        frame: frame("Your account", false),
        csrf: "c".into(),
        identities: vec![way("Ledger", "/account/ways/remove?provider=web3&subject=x", true), way(ADDRESS, "/", false)],
        notice: full.then(|| "It is added. From now on you can sign in with it too.".to_owned()),
        account_id: "0197a3c2-41f0-7cc1-a6a1-6d5b2f0f9a11".into(),
        apps: if full { vec![app("Acme Fleet", "acme"), app("Trip Log", ADDRESS)] } else { vec![] },
        sessions: vec![session("Firefox on Linux", true), session("Safari on iPhone", false)],
        profile: profile(),
        saved: problem.is_none() && full,
        problem: problem.map(str::to_owned),
    }
}

pub(super) fn sign_in(client: Option<(&str, &str)>, dev: bool) -> SignInPage {
    SignInPage {
        aim: Aim::SignIn,
        ways: ways(),
        frame: frame("Sign in", dev),
        client_name: client.map(|(name, _)| name.to_owned()),
        client_host: client.map(|(_, host)| host.to_owned()),
        client_logo: None,
        user_code: None,
        interaction: "0197a3c2-41f0-7cc1-a6a1-6d5b2f0f9a11".into(),
        csrf: "csrf-token".into(),
        chains: vec![Chain { id: 137, name: "Polygon".into() }, Chain { id: 1, name: "Ethereum".into() }],
        login_hint: None,
    }
}

pub(super) fn error(whose: Fault, title: &str, what: &str, todo: &str, detail: Option<&str>, back: Option<(&str, &str)>) -> ErrorPage {
    ErrorPage {
        frame: frame(title, false),
        status: 400,
        title: title.into(),
        what: what.into(),
        whose,
        todo: todo.into(),
        detail: detail.map(str::to_owned),
        back: back.map(|(href, label)| Link { href: href.into(), label: label.into() }),
    }
}
