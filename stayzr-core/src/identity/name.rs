/// A name in the form that is compared: lower case, without diacritics, spaces and punctuation.
/// Letters of other scripts stay as they are. Empty where the name says nothing (`-`, `.`).
///
/// ```
/// use stayzr_core::identity::fold;
///
/// assert_eq!(fold("da Conceição"), fold("DA CONCEICAO"));
/// assert_eq!(fold("O'Brien-Łukasz"), "obrienlukasz");
/// ```
pub fn fold(name: &str) -> String {
    words(name).concat()
}

/// Whether two given names can be one person's: equal, one of them absent, or word by word one the
/// beginning of the other (`J.` and `John`, `Ana` and `Ana Maria`).
///
/// ```
/// use stayzr_core::identity::given_names_agree;
///
/// assert!(given_names_agree(Some("J. R."), Some("John Ronald")));
/// assert!(given_names_agree(None, Some("John")));
/// assert!(!given_names_agree(Some("Maria"), Some("Ana Maria")));
/// ```
pub fn given_names_agree(one: Option<&str>, other: Option<&str>) -> bool {
    let (one, other) = (
        words(one.unwrap_or_default()),
        words(other.unwrap_or_default()),
    );
    one.iter()
        .zip(&other)
        .all(|(one, other)| one.starts_with(other.as_str()) || other.starts_with(one.as_str()))
}

/// The folded words of a name.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if is_combining(letter) {
            continue;
        }
        if letter.is_alphanumeric() {
            push_base(letter, &mut word);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Marks that stand behind the letter they belong to, where a name comes decomposed.
fn is_combining(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// A lower-case Latin letter without its mark, as machine-readable travel papers write it but for
/// `ä`, `ö` and `ü`, which booking sites write without a second letter.
fn push_base(letter: char, word: &mut String) {
    let base = match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        other => return word.push(other),
    };
    word.push_str(base);
}
