//! `latchkey asset import`.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::options::claim_lifetime;
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{AssetDid, Owner, Secret, Timestamp};
use crate::store::{AssetImport, AssetsImported, Imported};
use crate::web::asset_import::{Line, lines, told};

/// Import assets from a file, or bring those that are there up to date
///
/// Each line is a JSON object: `did`, and as far as they are known `owner` (an address, or the id of an account), `make`, `model`, `year`,
/// `powertrain`, `name`, `attributes` (any JSON object) and `minted_at`. All lines are looked at before the first asset is stored.
///
/// A new asset without an owner gets a claim code, which is printed this once: whoever has it takes the asset over. An asset that is
/// there keeps its owner, and what its line leaves out stays as it is.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey asset import fleet.ndjson > claims.json
  echo '{\"did\":\"did:erc721:137:0xbA57…:7\",\"make\":\"Ford\"}' | latchkey asset import -")]
pub(in crate::cli) struct Import {
    /// The file, one JSON object a line; `-` is standard input
    file: PathBuf,
    /// Let assets that have another owner change hands: the grants that are on them end
    #[arg(long)]
    transfer: bool,
    /// How long the claim codes work
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = claim_lifetime)]
    claim_lifetime: Duration,
}

/// So many assets are one transaction: the server's own writes wait for it.
const BATCH: usize = 500;
/// So many problems are told of at most.
const MOST_TOLD: usize = 50;

/// What became of an asset, for standard output.
#[derive(Serialize)]
struct View<'a> {
    did: AssetDid,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_expires_at: Option<String>,
}

impl Import {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let lines = lines(&self.text()?).map_err(refused)?;
        if !self.transfer {
            let problems = other_owners(desk, &lines).await?;
            if !problems.is_empty() {
                return Err(refused(problems));
            }
        }
        let (now, expires_at) = (desk.now(), desk.now().plus(self.claim_lifetime));
        let mut printed = Vec::new();
        for batch in lines.chunks(BATCH) {
            let codes: Vec<Option<Secret>> = batch.iter().map(|line| line.asset.owner.is_none().then(|| desk.entropy.secret())).collect();
            let claim = |code: &Option<Secret>| code.as_ref().map(|code| (code.hash(), expires_at));
            let assets = batch.iter().zip(&codes).map(|(line, code)| AssetImport { claim: claim(code), ..line.asset.clone() }).collect();
            let outcomes = match desk.store.import_assets(assets, self.transfer, now).await? {
                AssetsImported::All(outcomes) => outcomes,
                AssetsImported::OtherOwners(dids) => return Err(Failure(format!("{} has got another owner meanwhile", names(&dids)))),
            };
            for ((line, code), outcome) in batch.iter().zip(codes).zip(outcomes) {
                printed.push((line.asset.did, outcome, code.filter(|_| outcome == Imported::Created)));
            }
        }
        let count = |outcome| printed.iter().filter(|(_, other, _)| *other == outcome).count();
        let (created, updated, transferred) = (count(Imported::Created), count(Imported::Updated), count(Imported::Transferred));
        let codes = printed.iter().filter(|(_, _, code)| code.is_some()).count();
        let shown = if codes > 0 { format!("; {codes} claim codes are shown this once") } else { String::new() };
        let words = format!("{created} assets made, {updated} brought up to date, {transferred} changed hands{shown}");
        Ok(Said::json(&printed.iter().map(|printed| view(printed, expires_at)).collect::<Vec<_>>())?.words(words))
    }

    fn text(&self) -> Result<String, Failure> {
        let problem = |problem: std::io::Error| Failure(format!("{} cannot be read: {problem}", self.file.display()));
        if self.file.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map_err(problem)?;
            return Ok(text);
        }
        std::fs::read_to_string(&self.file).map_err(problem)
    }
}

fn view((did, outcome, code): &(AssetDid, Imported, Option<Secret>), expires_at: Timestamp) -> View<'_> {
    View {
        did: *did,
        outcome: match outcome {
            Imported::Created => "created",
            Imported::Updated => "updated",
            Imported::Transferred => "transferred",
        },
        claim_code: code.as_ref().map(Secret::expose),
        claim_expires_at: code.as_ref().map(|_| expires_at.rfc3339()),
    }
}

// The lines whose asset has another owner than they say, or whose owner is an account that is not there.
async fn other_owners(desk: &Desk, lines: &[Line]) -> Result<Vec<String>, Failure> {
    let mut problems = Vec::new();
    for Line { number, asset } in lines {
        let Some(owner) = asset.owner else { continue };
        if let Owner::Account(account) = owner
            && desk.store.account(account).await?.is_none()
        {
            problems.push(told(*number, format_args!("there is no account {account}")));
        } else if desk.store.asset_standing(&asset.did).await?.is_some_and(|now| now.owner != Some(owner)) {
            problems.push(told(*number, format_args!("{} has another owner; --transfer lets it change hands", asset.did)));
        }
    }
    Ok(problems)
}

fn refused(mut problems: Vec<String>) -> Failure {
    let more = problems.len().saturating_sub(MOST_TOLD);
    problems.truncate(MOST_TOLD);
    let more = if more > 0 { format!("\n… and {more} more") } else { String::new() };
    Failure(format!("nothing is imported:\n{}{more}", problems.join("\n")))
}

fn names(dids: &[AssetDid]) -> String {
    dids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
