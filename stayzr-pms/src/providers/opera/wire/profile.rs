use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::open::{Node, Unreadable};

/// Keys of a profile that OPERA documents. Any other is kept.
const DOCUMENTED: &[&str] = &[
    "customer",
    "company",
    "profileImage",
    "addresses",
    "businessSegments",
    "territory",
    "traceCode",
    "ownerCode",
    "influenceCode",
    "telephones",
    "emails",
    "uRLs",
    "comments",
    "profileDeliveryMethods",
    "profileMemberships",
    "preferenceCollection",
    "keywords",
    "negotiatedRates",
    "gdsNegotiatedRates",
    "profileIndicators",
    "relationships",
    "relationshipsSummary",
    "reservationInfoList",
    "stayReservationInfoList",
    "lastStayInfo",
    "profileAccessType",
    "profileRestrictions",
    "mailingActions",
    "privacyInfo",
    "cashiering",
    "commissionInfoList",
    "userDefinedFields",
    "webUserAccounts",
    "taxInfo",
    "salesInfo",
    "eCertificates",
    "subscriptions",
    "localizationGuestType",
    "flexFieldExternalProfileId",
    "eligibleForFiscalFolio",
    "roomOwnershipsList",
    "profileType",
    "statusCode",
    "inactiveReason",
    "registeredProperty",
    "requestForHotel",
    "protectedBy",
    "createDateTime",
    "creatorId",
    "lastModifyDateTime",
    "lastModifierId",
    "markAsRecentlyAccessed",
    "markForHistory",
    "hasCommission",
    "inheritedNegRates",
    "showInactiveRoomOwners",
    "fiscalGuestType",
    "internalFolio",
    "purgeDate",
    "primaryOwner",
    "hierarchy",
];

/// A profile: a person, or a company that no guest is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// What kind: `Guest`, `Company`, `Agent`; none where it is not said.
    pub kind: Option<String>,
    /// The title: `Mr`.
    pub title: Option<String>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub surname: Option<String>,
    /// The email, the primary one if there are several.
    pub email: Option<String>,
    /// The telephone number, likewise.
    pub phone: Option<String>,
    /// The nationality's code.
    pub nationality: Option<String>,
    /// OPERA's code of the language: `E`.
    pub language: Option<String>,
    /// Date of birth.
    pub birth_date: Option<NaiveDate>,
    /// Whether it is in use.
    pub is_active: bool,
    /// Whether the person was made unrecognisable.
    pub is_anonymized: bool,
    /// What it says about names, emails and telephones at all.
    pub says: Says,
    /// What no field of ours holds, and keys that OPERA does not document.
    pub extra: Map<String, Value>,
}

/// Which parts of a profile came: only what is asked for does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Says {
    /// Name, birth date, nationality.
    pub person: bool,
    /// Emails.
    pub emails: bool,
    /// Telephones.
    pub telephones: bool,
}

impl Profile {
    /// Reads an element of `profileInfo` (`profile`), or a profile by itself (`profileDetails`).
    pub fn read(value: &Value) -> Result<Self, Unreadable> {
        let body = Node::of(value);
        let id = body.at("profileIdList").items(&[]);
        let profile = match body.at("profileDetails") {
            details if details.is_there() => details,
            _ => body.at("profile"),
        };
        let customer = profile.at("customer");
        let names = customer.at("personName").items(&[]);
        let name = names
            .iter()
            .find(|name| {
                let kind = name.at("nameType").text();
                kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Primary"))
            })
            .or(names.first())
            .copied()
            .unwrap_or(Node(None));
        let birth = customer.at("birthDate").day();
        let status = profile.at("statusCode").text();
        let hidden = customer.at("anonymization/anonymizationStatus").text();
        let is = |text: &Option<String>, word: &str| {
            let text = text.as_deref();
            text.is_some_and(|text| text.eq_ignore_ascii_case(word))
        };
        Ok(Self {
            // The type of the id is `Profile`, and blank in one of the vendor's examples.
            id: body
                .at("profileIdList")
                .id("Profile")
                .or_else(|| id.first().and_then(|id| id.at("id").text()))
                .unwrap_or_default(),
            kind: profile.at("profileType").text(),
            title: name.at("nameTitle").text(),
            given_name: name.at("givenName").text(),
            surname: name.at("surname").text(),
            email: primary(profile, EMAILS),
            phone: primary(profile, PHONES),
            nationality: customer.at("nationality").text(),
            language: customer
                .at("language")
                .text()
                .or(name.at("language").text()),
            birth_date: birth.map_err(|why| ("birthDate".to_owned(), why))?,
            is_active: !is(&status, "Inactive"),
            is_anonymized: is(&hidden, "Anonymized"),
            says: Says {
                person: customer.is_there(),
                emails: profile.at("emails").is_there(),
                telephones: profile.at("telephones").is_there(),
            },
            extra: extra(profile, customer),
        })
    }

    /// Whether a guest is made of it.
    pub fn is_guest(&self) -> bool {
        let kind = self.kind.as_deref();
        kind.is_none_or(|kind| {
            ["Guest", "Contact"]
                .iter()
                .any(|one| kind.eq_ignore_ascii_case(one))
        })
    }
}

/// Where addresses of one sort stand: list, element, its object and the text in it.
pub(in crate::providers::opera) type Sort =
    (&'static str, &'static str, &'static str, &'static str);

/// Emails.
pub(in crate::providers::opera) const EMAILS: Sort =
    ("emails", "emailInfo", "email", "emailAddress");

/// Telephones.
pub(in crate::providers::opera) const PHONES: Sort =
    ("telephones", "telephoneInfo", "telephone", "phoneNumber");

/// The element of these that is the primary one, or the first. Fax numbers are none.
pub(in crate::providers::opera) fn primary_of<'a>(
    profile: Node<'a>,
    (list, element, object, text): Sort,
) -> Option<Node<'a>> {
    let all = profile.at(list).items(&[element]);
    let usable: Vec<Node<'a>> = all
        .into_iter()
        .filter(|one| {
            let tech = one.at(object).at("phoneTechType").text();
            one.at(object).at(text).text().is_some()
                && !tech.is_some_and(|tech| tech.eq_ignore_ascii_case("FAX"))
        })
        .collect();
    let named = usable
        .iter()
        .find(|one| one.at(object).at("primaryInd").flag() == Some(true));
    named.or(usable.first()).copied()
}

fn primary(profile: Node<'_>, sort: Sort) -> Option<String> {
    primary_of(profile, sort)?.at(sort.2).at(sort.3).text()
}

fn extra(profile: Node<'_>, customer: Node<'_>) -> Map<String, Value> {
    let mut extra = Map::new();
    for (key, value) in [
        ("vipStatus", customer.at("vipStatus").text()),
        ("gender", customer.at("gender").text()),
        ("profileType", profile.at("profileType").text()),
    ] {
        if let Some(value) = value {
            extra.insert(key.to_owned(), json!(value));
        }
    }
    if let Some(Value::Object(fields)) = profile.0 {
        let strange = fields
            .iter()
            .filter(|(key, _)| !DOCUMENTED.contains(&key.as_str()));
        extra.extend(strange.map(|(key, value)| (key.clone(), value.clone())));
    }
    extra
}
