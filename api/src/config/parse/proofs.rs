//! Witnesses.

use evident_eventstore::tlog::Witness;
use url::Url;

use super::{Kind, Named, Problem, Raw};
use crate::config::proofs::WitnessPlace;

/// Addresses of witnesses and their verifier keys, a space between: `https://witness.example.com KEY`.
pub(in crate::config) struct Witnesses;

impl Named for Witnesses {
    const NAME: &'static str = "list of addresses and keys";
}

impl Kind<Vec<WitnessPlace>> for Witnesses {
    fn parse(raw: &Raw) -> Result<Option<Vec<WitnessPlace>>, Problem> {
        let items = super::collection::items(raw, |text| text.split(',').map(str::to_owned).collect())?;
        let items = items.iter().map(|item| {
            let (url, key) =
                item.trim().split_once(' ').ok_or_else(|| Problem::new("has an address without a key"))?;
            let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let url = url.ok_or_else(|| Problem::new("has an address that is none of http or https"))?;
            let witness = Witness::parse(key.trim())
                .map_err(|_| Problem::new("has a key that is no Ed25519 key for cosignatures"))?;
            Ok(WitnessPlace { url, witness })
        });
        items.collect::<Result<_, _>>().map(Some)
    }

    fn show(value: &Vec<WitnessPlace>) -> String {
        let shown = value.iter().map(|place| format!("{} {}", place.url, place.witness.vkey()));
        shown.collect::<Vec<_>>().join(",")
    }
}
