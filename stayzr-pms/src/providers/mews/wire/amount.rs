use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use stayzr_core::{
    Error, Result,
    model::{Money, PricingMode},
};

use super::open::{decimal, list, text};

/// An amount of money, as Mews says it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Amount {
    /// The currency.
    #[serde(default)]
    pub currency: Option<String>,
    /// Without tax.
    #[serde(default, deserialize_with = "decimal")]
    pub net_value: Option<Decimal>,
    /// With tax.
    #[serde(default, deserialize_with = "decimal")]
    pub gross_value: Option<Decimal>,
    /// The taxes in it.
    #[serde(default, deserialize_with = "list")]
    pub tax_values: Vec<TaxValue>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A tax in an amount.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaxValue {
    /// The tax; none where it is exempt.
    #[serde(default, deserialize_with = "text")]
    pub code: Option<String>,
    /// How much.
    #[serde(default, deserialize_with = "decimal")]
    pub value: Option<Decimal>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Amount {
    /// What the hotel calls its price: with tax where it prices gross, without where it prices
    /// net; the other where that one is missing.
    pub fn priced(&self, mode: PricingMode) -> Option<Decimal> {
        match mode {
            PricingMode::Gross => self.gross_value.or(self.net_value),
            PricingMode::Net => self.net_value.or(self.gross_value),
        }
    }

    /// What is paid, taxes included: as Mews says it, or the net amount and all its taxes. None
    /// where a tax does not say how much it is.
    pub fn paid(&self) -> Option<Decimal> {
        self.gross_value.or_else(|| {
            let taxes = self.tax_values.iter().map(|tax| tax.value);
            Some(self.net_value? + taxes.sum::<Option<Decimal>>()?)
        })
    }
}

/// An amount of money to be written: with tax where the hotel prices gross, without where it
/// prices net, as [`AmountWrite::new`] makes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AmountWrite {
    currency: String,
    #[serde(serialize_with = "number")]
    net_value: Option<Decimal>,
    #[serde(serialize_with = "number")]
    gross_value: Option<Decimal>,
    tax_codes: Vec<String>,
}

impl AmountWrite {
    /// An amount as a hotel of this mode writes it, with codes of its taxes.
    /// [`stayzr_core::ErrorKind::Invalid`] for a gross amount with several codes, of which Mews takes
    /// one alone.
    ///
    /// ```
    /// use serde_json::json;
    /// use stayzr_core::model::{Money, PricingMode};
    /// use stayzr_pms::providers::mews::wire::AmountWrite;
    ///
    /// let money = Money::new("10.50".parse().unwrap(), "GBP".parse().unwrap());
    /// let taxes = vec!["UK-S".to_owned()];
    /// let gross = AmountWrite::new(&money, PricingMode::Gross, taxes.clone())?;
    /// assert_eq!(json!(gross)["GrossValue"], 10.5);
    /// let net = AmountWrite::new(&money, PricingMode::Net, taxes)?;
    /// assert_eq!(json!(net)["NetValue"], 10.5);
    /// # Ok::<(), stayzr_core::Error>(())
    /// ```
    pub fn new(money: &Money, mode: PricingMode, tax_codes: Vec<String>) -> Result<Self> {
        if mode == PricingMode::Gross && tax_codes.len() > 1 {
            return Err(Error::invalid(
                "mews.amount",
                "Mews takes one tax code with a gross amount: write each tax's part on its own",
            ));
        }
        let value = |of: PricingMode| (of == mode).then_some(money.amount);
        Ok(Self {
            currency: money.currency.code().to_owned(),
            net_value: value(PricingMode::Net),
            gross_value: value(PricingMode::Gross),
            tax_codes,
        })
    }
}

/// Mews writes amounts as numbers.
fn number<S: Serializer>(
    value: &Option<Decimal>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let number = value.and_then(|value| value.to_string().parse::<serde_json::Number>().ok());
    number.serialize(serializer)
}
