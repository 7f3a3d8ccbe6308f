//! `latchkey account create`.

use clap::Args;

use super::View;
use crate::cli::desk::Desk;
use crate::cli::options::{name, secret_line};
use crate::cli::out::{Done, Failure, Said};
use crate::domain::{AccountId, Email, NewPassword};
use crate::passwords::Passwords;
use crate::store::NewAccount;

/// Make an account for somebody whose email address you know to be theirs
///
/// They sign in with a code that is sent to that address, or with the password.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  latchkey account create --email ada@example.com --name 'Ada Lovelace'
  latchkey account create --email ada@example.com --password-stdin < password.txt")]
pub(in crate::cli) struct Create {
    /// Their email address
    #[arg(long, value_name = "ADDRESS")]
    email: Email,
    /// Their name, as apps may see it
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// Read a password for them from standard input (one line, at least 15 characters)
    #[arg(long)]
    password_stdin: bool,
}

impl Create {
    pub(in crate::cli) async fn run(self, desk: &Desk) -> Done {
        let password = if self.password_stdin { Some(secret_line(std::io::stdin().lock())?) } else { None };
        let password = match password {
            Some(typed) => {
                let password = NewPassword::parse(typed.expose(), self.email.as_str()).map_err(|reason| Failure(reason.to_string()))?;
                let pool = Passwords::start(&desk.config.passwords, &desk.entropy).map_err(Failure)?;
                Some(pool.hash(password.secret().clone()).await.map_err(|reason| Failure(reason.to_string()))?)
            }
            None => None,
        };
        let with_password = password.is_some();
        let id = AccountId(desk.entropy.uuid(desk.now()));
        let new = NewAccount { id, email: self.email.clone(), name: self.name, password };
        if !desk.store.create_account(new, desk.now()).await? {
            return Err(Failure(format!("{} belongs to an account already: see `latchkey account list`", self.email)));
        }
        let account = desk.store.account(id).await?.ok_or_else(|| Failure("the account is gone again".to_owned()))?;
        let words = match (with_password, desk.config.passwords.enabled) {
            (true, false) => "the account is made; nobody can sign in with its password while passwords.enabled is false",
            _ => "the account is made",
        };
        Ok(Said::json(&View::from(&account))?.words(words))
    }
}
