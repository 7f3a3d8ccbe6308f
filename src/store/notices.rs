//! Notices: what somebody is told by mail of a change to their account that they may not have made. Written to each verified address of the
//! account, inside the transaction that makes the change.

use super::StoreError;
use super::dialect::{Conn, on, sql};
use super::mails::{self, Subject};
use crate::domain::{AccountId, Email, Timestamp};

sql! {
    ADDRESSES = "SELECT email FROM account_email WHERE account_id = $1 ORDER BY email";
}

/// Tells an account. Where an address is about to be taken from it, this comes first: whoever had it is told too.
pub(super) async fn put(conn: &mut Conn<'_>, account: AccountId, what: &Subject, now: Timestamp) -> Result<(), StoreError> {
    let addresses: Vec<Email> = on!(*conn, values(ADDRESSES, account))?;
    for address in addresses {
        mails::put_notice(conn, address, what, now).await?;
    }
    Ok(())
}
