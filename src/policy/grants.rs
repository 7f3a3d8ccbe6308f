//! The rules of grants: what an app gets of an asset, what an owner may give, and who may end it. Pure functions of what was loaded.

mod evaluate;
mod giving;
mod sight;

pub use evaluate::{Acting, Ask, Facts, Granted, Reason, Refused, evaluate};
pub use giving::{Change, Ender, GivingError, Terms, Wish, check_change, check_wish, may_end, may_give};
pub use sight::{Shared, Sight, sight, together};
