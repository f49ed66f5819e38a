//! The schedule: what is due goes out.

use super::Worker;
use crate::metronome::clock::now_ns;
use crate::metronome::conn::Conn;
use crate::metronome::slab::Key;
use std::io;

impl Worker {
    /// Writes what is due, earliest first, but not more than `most` writes.
    pub(super) fn fire(&mut self, most: usize) {
        for _ in 0..most {
            let now = now_ns();
            match self.queue.pop_due(now) {
                None => return,
                Some(Key::LISTENER) => self.resume_accepting(),
                Some(key) => self.visit(key, |worker, conn| worker.play(key, conn, now)),
            }
        }
    }

    /// Writes what is due of an answer; `found_ns` is the time at which it was found due.
    fn play(&mut self, key: Key, conn: &mut Conn, found_ns: u64) -> io::Result<()> {
        let Some(answer) = &mut conn.answer else {
            return Ok(());
        };
        if conn.transport.blocked() {
            conn.stalled = true;
            return Ok(());
        }
        let (from, tokens) = (answer.sent, answer.next_tokens());
        let score = self.shared.score(answer.ask.protocol);
        let middle = from > 0 && tokens == 1 && from + 1 < answer.ask.tokens;
        if middle {
            answer.record(found_ns, 1);
            conn.transport.write(score.token())?;
        } else {
            self.scratch.clear();
            if answer.ask.stream {
                score.append(&mut self.scratch, &answer.ask, from, from + tokens);
            } else {
                score.append_whole(&mut self.scratch, &answer.ask);
            }
            answer.record(now_ns(), tokens);
            conn.transport.write(&self.scratch)?;
        }
        if !answer.all_sent() {
            self.queue.push(answer.due_ns(), key);
        } else if !conn.transport.blocked() {
            self.complete(key, conn)?;
        }
        Ok(())
    }

    /// The last byte of an answer is out.
    pub(super) fn complete(&mut self, key: Key, conn: &mut Conn) -> io::Result<()> {
        let Some(answer) = conn.answer.take() else {
            return Ok(());
        };
        let close = answer.close;
        self.shared.recorder.complete(self.index, answer, now_ns());
        if close {
            return conn.end();
        }
        match conn.next(&self.shared.defaults) {
            Some(asked) => self.answer(key, conn, asked),
            None => Ok(()),
        }
    }
}
