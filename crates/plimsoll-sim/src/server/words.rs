//! The simulator's tokenizer and vocabulary: a token is a word between white space.

use crate::random::mix;

/// Plain words without any character that JSON would escape.
const ENGLISH: [&str; 24] = [
    " the", " ship", " rides", " upon", " a", " calm", " sea", " and", " her", " mark", " shows",
    " how", " much", " load", " she", " may", " carry", " in", " every", " water", " of", " this",
    " wide", " world",
];

/// The same in three-byte characters.
const CHINESE: [&str; 12] = [
    " 船",
    " 行驶",
    " 在",
    " 平静",
    " 海面",
    " 载重线",
    " 标明",
    " 它",
    " 能",
    " 承载",
    " 多少",
    " 货物",
];

/// Ids of the fixed parts of the chat template, below every word's id.
const TEMPLATE: [u32; 3] = [1, 2, 3];

/// Returns output token `index` of a request, with its leading space.
pub(super) fn output_word(request: u64, index: u32, multibyte: bool) -> &'static str {
    let list: &[&str] = if multibyte { &CHINESE } else { &ENGLISH };
    // Start elsewhere in every answer, so that answers are not all alike.
    list[((request + u64::from(index)) % list.len() as u64) as usize]
}

/// Returns the token ids of a text, one for each word.
pub(super) fn tokenize(text: &str) -> Vec<u32> {
    text.split_whitespace().map(word_id).collect()
}

/// Appends one chat message: its words in a frame of four tokens, as real templates have.
pub(super) fn append_message(tokens: &mut Vec<u32>, role: &str, content: &str) {
    let [start, body, end] = TEMPLATE;
    tokens.extend([start, word_id(role), body]);
    tokens.extend(content.split_whitespace().map(word_id));
    tokens.push(end);
}

/// Equal words have equal ids; the id space is large enough that different words rarely collide.
fn word_id(word: &str) -> u32 {
    let hash = word
        .bytes()
        .fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
    16 + (hash % 1_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::{append_message, output_word, tokenize};

    #[test]
    fn output_counts_as_it_is_counted() {
        for multibyte in [false, true] {
            let text: String = (0..50).map(|i| output_word(3, i, multibyte)).collect();
            assert_eq!(tokenize(&text).len(), 50);
        }
    }

    #[test]
    fn a_message_costs_four_tokens_more_than_its_words() {
        let mut tokens = Vec::new();
        append_message(&mut tokens, "user", "one two  three");
        assert_eq!(tokens.len(), 7);
    }
}
