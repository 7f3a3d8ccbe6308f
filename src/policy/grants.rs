//! The rules of grants: what an app gets of an asset, what an owner may give, and who may end it. Pure functions of what was loaded.

mod evaluate;
mod giving;

pub use evaluate::{Acting, Ask, Facts, Granted, Reason, Refused, evaluate};
pub use giving::{Ender, GivingError, Terms, Wish, check_wish, may_end, may_give};
