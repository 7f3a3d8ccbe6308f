//! Whether a code that was mailed can still be typed, and if not, why.

use crate::domain::Timestamp;
use crate::store::{EMAIL_CODE_TRIES, EmailCodeState};

/// How a code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Alive,
    /// Somebody signed in with it.
    Used,
    /// It was guessed at as often as it may be.
    Guessed,
    Expired,
}

/// How it stands at a moment.
#[must_use]
pub fn standing(code: &EmailCodeState, now: Timestamp) -> Standing {
    if code.used_at.is_some() {
        Standing::Used
    } else if code.tries >= EMAIL_CODE_TRIES {
        Standing::Guessed
    } else if code.expires_at <= now {
        Standing::Expired
    } else {
        Standing::Alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MailState;

    #[test]
    fn the_table() {
        let at = Timestamp::from_seconds;
        let code = |tries, used_at: Option<i64>| EmailCodeState {
            email: "ada@example.com".parse().unwrap(),
            mail_state: MailState::Sent,
            tries,
            expires_at: at(600),
            used_at: used_at.map(at),
        };
        for (tries, used_at, now, is) in [
            (0, None, 0, Standing::Alive),
            (4, None, 599, Standing::Alive),
            (0, None, 600, Standing::Expired),
            (5, None, 1, Standing::Guessed),
            (5, None, 600, Standing::Guessed),
            (1, Some(5), 6, Standing::Used),
            (5, Some(5), 900, Standing::Used),
        ] {
            assert_eq!(standing(&code(tries, used_at), at(now)), is, "{tries} {used_at:?} {now}");
        }
    }
}
