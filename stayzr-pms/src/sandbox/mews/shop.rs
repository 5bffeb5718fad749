use serde_json::{Map, Value, json};

use super::{
    orders::price,
    seed::{Seed, fields},
};

type Fields = Map<String, Value>;

impl Seed<'_> {
    /// What is sold with a stay, and at the restaurant.
    pub(super) fn products(&self) -> Vec<Fields> {
        const PRODUCTS: [(usize, &str, &str, &str, i64); 4] = [
            (0, "Breakfast", "BFST", "PerPersonPerTimeUnit", 1800),
            (0, "Parking", "PARK", "PerTimeUnit", 1200),
            (1, "Bottle of wine", "WINE", "Once", 3200),
            (1, "Club sandwich", "CLUB", "Once", 1450),
        ];
        let products = PRODUCTS.iter().enumerate();
        products
            .map(|(number, (service, name, short, charging, cents))| {
                let language = &self.profile.language;
                fields(json!({
                    "Id": self.id("product", number), "ServiceId": self.id("service", *service),
                    "IsActive": true, "Names": {language: name}, "ShortNames": {language: short},
                    "ExternalNames": {}, "Descriptions": {}, "CategoryId": null,
                    "AccountingCategoryId": null, "ChargingMode": charging,
                    "PostingMode": "Once", "Options": {"BillAsPackage": false},
                    "Classifications": {"Food": number != 1, "Beverage": false,
                        "Wellness": false, "CityTax": false},
                    "Price": price(*cents, &self.profile.currency), "ExternalIdentifier": short,
                    "CreatedUtc": self.days_ago(680 - number as i64),
                    "UpdatedUtc": self.days_ago(90),
                }))
            })
            .collect()
    }

    pub(super) fn rate_groups(&self) -> Vec<Fields> {
        vec![fields(json!({
            "Id": self.id("rate group", 0), "ServiceId": self.id("service", 0), "IsActive": true,
            "Ordering": 0, "Names": {"en-US": "Default"}, "ShortNames": {"en-US": "Default"},
            "Descriptions": {}, "ExternalIdentifier": null,
            "CreatedUtc": self.days_ago(690), "UpdatedUtc": self.days_ago(690),
        }))]
    }

    pub(super) fn departments(&self) -> Vec<Fields> {
        let names = ["Reception", "Housekeeping", "Maintenance"];
        let named = names.iter().enumerate();
        named
            .map(|(number, name)| {
                fields(json!({
                    "Id": self.id("department", number),
                    "EnterpriseId": self.id("enterprise", 0), "IsActive": true, "Name": name,
                    "CreatedUtc": self.days_ago(690 - number as i64),
                    "UpdatedUtc": self.days_ago(690),
                }))
            })
            .collect()
    }
}
