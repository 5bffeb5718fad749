use chrono::NaiveDate;

/// The body of a write: a form whose lists are written as PHP reads them, `rooms[0][roomTypeID]`.
///
/// ```
/// use stayzr_pms::providers::cloudbeds::wire::Form;
///
/// let mut form = Form::new();
/// form.text("reservationID", "7").flag("sendStatusChangeEmail", false);
/// form.item("rooms", 0).text("roomTypeID", "650000").number("adults", 2);
/// assert_eq!(form.fields()[2], ("rooms[0][roomTypeID]".to_owned(), "650000".to_owned()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// A form without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a text.
    pub fn text(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// Sets a text, where there is one.
    pub fn maybe(&mut self, key: &str, value: Option<impl Into<String>>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, value);
        }
        self
    }

    /// Sets a flag, as `true` or `false`.
    pub fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.text(key, value.to_string())
    }

    /// Sets a number.
    pub fn number(&mut self, key: &str, value: i64) -> &mut Self {
        self.text(key, value.to_string())
    }

    /// Sets a day.
    pub fn day(&mut self, key: &str, value: NaiveDate) -> &mut Self {
        self.text(key, value.to_string())
    }

    /// An element of a list.
    pub fn item<'a>(&'a mut self, list: &'a str, at: usize) -> Item<'a> {
        Item {
            form: self,
            list,
            at,
        }
    }

    /// Sets all that another form sets.
    pub fn append(&mut self, other: Self) -> &mut Self {
        self.0.extend(other.0);
        self
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields in order.
    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }
}

/// An element of a list of a [`Form`].
#[derive(Debug)]
pub struct Item<'a> {
    form: &'a mut Form,
    list: &'a str,
    at: usize,
}

impl Item<'_> {
    /// Sets a text.
    pub fn text(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        let key = format!("{}[{}][{key}]", self.list, self.at);
        self.form.text(&key, value);
        self
    }

    /// Sets a text, where there is one.
    pub fn maybe(&mut self, key: &str, value: Option<impl Into<String>>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, value);
        }
        self
    }

    /// Sets a flag.
    pub fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.text(key, value.to_string())
    }

    /// Sets a number.
    pub fn number(&mut self, key: &str, value: i64) -> &mut Self {
        self.text(key, value.to_string())
    }

    /// Sets a day.
    pub fn day(&mut self, key: &str, value: NaiveDate) -> &mut Self {
        self.text(key, value.to_string())
    }
}
