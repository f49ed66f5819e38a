//! What is sent: a source builds request `i`, whoever asks for it and whenever.

/// One request, ready to be put on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Path with query, such as `/v1/completions`.
    pub path: String,
    /// Headers of this request alone, such as `x-request-id`.
    pub headers: Vec<(String, String)>,
    /// JSON body.
    pub body: Vec<u8>,
    /// Prompt length asked for, tokens.
    pub asked_prompt_tokens: u32,
    /// Answer length asked for, tokens.
    pub asked_output_tokens: u32,
}

/// Builds requests. Called by every worker, so it holds no state that changes.
pub trait RequestSource: Send + Sync {
    /// Builds request `index` of the run.
    fn build(&self, index: u64) -> Built;
}
