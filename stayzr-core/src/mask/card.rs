/// How the digits of a candidate were grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// In one piece, or as cards are printed: 4-4-4-4(-3), 4-6-5, 4-6-4.
    Printed,
    /// In any other way.
    Odd,
}

impl Grouping {
    /// How groups of these lengths look.
    pub(super) fn of(lengths: &[usize]) -> Self {
        let printed = match lengths {
            [_] | [4, 6, 4 | 5] => true,
            [first @ .., last] => first.iter().all(|length| *length == 4) && (1..=4).contains(last),
            [] => false,
        };
        if printed { Self::Printed } else { Self::Odd }
    }
}

/// Whether these digits are the number of a payment card.
pub(super) fn is_card(digits: &[u8], grouping: Grouping) -> bool {
    network(digits, grouping) && luhn(digits) && !is_phone(digits)
}

/// Whether a payment network issues numbers that begin so and have this length. Without this every
/// tenth id of that length would be taken for a card.
fn network(digits: &[u8], grouping: Grouping) -> bool {
    let length = digits.len();
    if !(13..=19).contains(&length) {
        return false;
    }
    let prefix = |places: usize| {
        digits[..places]
            .iter()
            .fold(0_u32, |number, digit| number * 10 + u32::from(*digit))
    };
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    let usual = match two {
        // Visa
        40..=49 => matches!(length, 13 | 16 | 19),
        // Mastercard
        51..=55 => length == 16,
        22..=27 if (2221..=2720).contains(&four) => length == 16,
        // Mir
        22 => (2200..=2204).contains(&four) && length >= 16,
        // American Express
        34 | 37 => length == 15,
        // Diners Club
        30 => (300..=305).contains(&three) || three == 309,
        36 | 38 | 39 => length >= 14,
        // JCB
        35 => (3528..=3589).contains(&four) && length >= 16,
        18 | 21 => matches!(four, 1800 | 2131) && length == 15,
        // UnionPay, Discover, RuPay
        60 | 62 | 64 | 65 | 81 | 82 => length >= 16,
        // Troy
        97 => four == 9792 && length == 16,
        _ => false,
    };
    // Maestro, whose prefixes are many: only where the digits are grouped as on a card.
    let maestro = matches!(two, 50 | 56..=69) && length >= 16;
    match grouping {
        Grouping::Printed => usual || maestro,
        Grouping::Odd => usual && (14..=16).contains(&length),
    }
}

/// The check digit of ISO/IEC 7812-1.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match u32::from(*digit) {
            digit if place % 2 == 0 => digit,
            digit if digit < 5 => digit * 2,
            digit => digit * 2 - 9,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the digits are a telephone number with its country code, as channels give senders: a
/// German one may look like an old Visa number.
fn is_phone(digits: &[u8]) -> bool {
    if digits.len() > 15 {
        return false;
    }
    let mut number = String::with_capacity(16);
    number.push('+');
    number.extend(digits.iter().map(|digit| char::from(b'0' + digit)));
    phonenumber::parse(None, &number).is_ok_and(|number| phonenumber::is_valid(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    #[test]
    fn knows_the_published_test_numbers_of_every_network() {
        for number in [
            "4111111111111111",
            "4222222222222",
            "4000000000000000006",
            "5555555555554444",
            "2223003122003222",
            "2200000000000004",
            "378282246310005",
            "30569309025904",
            "36227206271667",
            "38520000023237",
            "3530111333300000",
            "6011111111111117",
            "6200000000000005",
            "6759649826438453",
            "6500000000000002",
            "9792030000000000",
        ] {
            let digits = digits(number);
            assert!(is_card(&digits, Grouping::Printed), "{number}");
            let mut wrong = digits;
            *wrong.last_mut().unwrap() = (wrong.last().unwrap() + 1) % 10;
            assert!(!is_card(&wrong, Grouping::Printed), "{number} miscounted");
        }
    }

    #[test]
    fn no_telephone_number_is_a_card() {
        // A German mobile number that passes the Luhn check and has the length of an old Visa.
        let found = (0..10_u32)
            .map(|last| digits(&format!("491511234567{last}")))
            .find(|digits| luhn(digits))
            .unwrap();
        assert!(!is_card(&found, Grouping::Printed), "{found:?}");
    }
}
