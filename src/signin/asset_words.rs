//! What is asked of an owner's assets, in the words of the consent page.

use super::assets::Found;
use crate::domain::{Asset, AssetDid, EventFilter, PermissionSet, Risk, Vocabulary};
use crate::policy::asset_access::{Chosen, Declined, Lack};
use crate::protocol::authorization_details::{Assets, Pick};
use crate::web::ctx::Ctx;
use crate::web::pages::{AssetBlock, AssetLine, AssetSubject, PermissionLine, SpanLine};
use crate::web::words;

/// The blocks of the page. `choices` is what was sent before, where the page is shown again; else everything that is optional is left
/// out, and the longest time is chosen, which is what the app asks for.
pub(super) fn blocks(ctx: &Ctx, found: &[Found<'_>], choices: Option<&[Chosen]>) -> Vec<AssetBlock> {
    let block = |(number, found): (usize, &Found<'_>)| {
        let (offer, vocabulary) = (found.offer(ctx), &ctx.state.config.vocabulary);
        let chosen = choices.and_then(|choices| choices.get(number));
        let detail = offer.detail;
        let lines = |every: bool| -> Vec<AssetLine> {
            let line = |asset: &Asset| {
                let again = chosen.is_some_and(|chosen| chosen.assets.iter().any(|(did, _)| *did == asset.did));
                // Where there is only one to pick from, it is picked.
                asset_line(asset, every || again || chosen.is_none() && offer.assets.len() == 1)
            };
            offer.assets.iter().map(line).collect()
        };
        AssetBlock {
            number,
            subject: match &detail.assets {
                Assets::These(_) => AssetSubject::These(lines(true)),
                Assets::All => AssetSubject::All(lines(true)),
                Assets::Pick(pick) => AssetSubject::Pick { how_many: how_many(pick), from: lines(false) },
            },
            needed: permissions(vocabulary, &detail.actions, |_| true),
            optional: permissions(vocabulary, &detail.optional_actions, |name| {
                chosen.is_some_and(|chosen| chosen.optional.iter().any(|permission| permission.as_str() == name))
            }),
            events: detail.events.iter().map(event).collect(),
            purpose: detail.purpose.clone(),
            spans: {
                let spans = offer.spans();
                let picked = chosen.and_then(|chosen| chosen.span).filter(|span| spans.contains(span)).or_else(|| spans.first().copied());
                let until = |seconds: u64| words::day(ctx.now.plus(std::time::Duration::from_secs(seconds)));
                let line = |seconds: u64| SpanLine {
                    seconds,
                    label: format!("{}, until {}", words::span(seconds), until(seconds)),
                    chosen: picked == Some(seconds),
                };
                spans.into_iter().map(line).collect()
            },
            lack: offer.lack().map(|lack| lacking(&lack)),
        }
    };
    found.iter().enumerate().map(block).collect()
}

fn asset_line(asset: &Asset, chosen: bool) -> AssetLine {
    let name = words::asset_name(asset);
    AssetLine {
        name: name.clone(),
        id: Some(words::end_of(&asset.did)).filter(|id| *id != name).unwrap_or_default(),
        did: asset.did.to_string(),
        value: format!("{} {}", asset.epoch, asset.did),
        chosen,
    }
}

fn permissions(vocabulary: &Vocabulary, set: &PermissionSet, chosen: impl Fn(&str) -> bool) -> Vec<PermissionLine> {
    let asked = vocabulary.terms().iter().filter(|term| set.contains(&term.name));
    asked
        .map(|term| PermissionLine {
            name: term.name.as_str().to_owned(),
            title: term.title.clone(),
            sentence: term.sentence.clone(),
            grave: term.risk == Risk::High,
            chosen: chosen(term.name.as_str()),
        })
        .collect()
}

fn event(filter: &EventFilter) -> String {
    let kind = match filter.event_type() {
        "*" => "See all documents and events about it".to_owned(),
        kind => format!("See documents and events of the kind “{kind}”"),
    };
    let source = if filter.source() == "*" { String::new() } else { format!(" from {}", filter.source()) };
    let some = |words: &[String]| !words.iter().any(|word| word == "*");
    let tags = if some(filter.tags()) { format!(", marked {}", filter.tags().join(", ")) } else { String::new() };
    let ids = match filter.ids().len() {
        _ if !some(filter.ids()) => String::new(),
        1 => ", one of them".to_owned(),
        number => format!(", {number} of them"),
    };
    format!("{kind}{source}{tags}{ids}")
}

fn how_many(pick: &Pick) -> String {
    let Pick { min, max, .. } = pick;
    match (*min, *max) {
        (1, 1) => "Choose one".to_owned(),
        (min, max) if min == max => format!("Choose {min}"),
        (1, max) => format!("Choose one or more, at most {max}"),
        (min, max) => format!("Choose {min} to {max}"),
    }
}

/// Why nothing could be granted, for the person.
pub(super) fn problem(declined: &Declined) -> String {
    match declined {
        Declined::Lack(lack) => lacking(lack),
        Declined::Count { chosen, min, max } if min == max => format!("Choose {min}; you have chosen {chosen}."),
        Declined::Count { chosen, min, max } => format!("Choose {min} to {max}; you have chosen {chosen}."),
        Declined::Changed(did) => {
            format!("{} changed hands, or is no longer what the app asks for. Look again at what is below.", words::end_of(did))
        }
        Declined::Span => "Choose one of the times below.".to_owned(),
        Declined::Nothing => "There is nothing left to allow. Keep at least one thing, or cancel.".to_owned(),
    }
}

fn lacking(lack: &Lack) -> String {
    match lack {
        Lack::Nothing => "There is nothing here that belongs to you yet. If you were given a claim code, enter it on your account page, \
                          then come back. If yours is with another wallet, sign in with that one."
            .to_owned(),
        Lack::NotTheirs(dids) => {
            let ends: Vec<String> = dids.iter().map(words::end_of as fn(&AssetDid) -> String).collect();
            format!(
                "The app asks for what is not yours, or is not here: {}. If it is with another wallet, sign in with that one.",
                ends.join(", ")
            )
        }
        Lack::TooFew { fitting, min } => {
            format!(
                "The app needs {min} that fit what it works with, and {fitting} of yours do. Sign in with another wallet if more are there."
            )
        }
    }
}
