//! Reading the log.

use super::{Setting, setting};
use crate::config::parse::List;

pub(super) const AUDIT: &[Setting] = &[setting!(
    "audit.roles",
    List,
    settings.audit.roles,
    [],
    "auditor,compliance",
    "The roles whose tokens may read the log at `/audit`. Administrators are not among them unless they are listed.",
)];
