//! The environment of the child, with room for what only the child knows: its own id.

use std::ffi::{CStr, CString, c_char};

use super::pointers;

/// Digits of the largest process id, and the NUL.
const PID_BYTES: usize = 11;

/// Null-terminated pointers to the variables. The strings are the parent's.
pub(super) struct Environment {
    pointers: Vec<*const c_char>,
    /// `NAME=`, then zeroes for the id and the NUL; nothing unless wanted. The pointers lead here, so it stays as it is.
    slot: Box<[u8]>,
}

impl Environment {
    pub(super) fn new(variables: &[CString], pid_variable: Option<&CStr>) -> Self {
        let mut pointers = pointers(variables);
        let Some(name) = pid_variable else {
            return Self { pointers, slot: Box::default() };
        };
        let mut slot = name.to_bytes().to_vec();
        slot.push(b'=');
        slot.extend([0; PID_BYTES]);
        let slot = slot.into_boxed_slice();
        // Before the null.
        pointers.insert(variables.len(), slot.as_ptr().cast());
        Self { pointers, slot }
    }

    /// In the child: writes its id to where it belongs, if it is wanted.
    pub(super) fn write_pid(&mut self) {
        if self.slot.is_empty() {
            return;
        }
        // SAFETY: plain system call that cannot fail.
        let pid = unsafe { libc::syscall(libc::SYS_getpid) };
        let begin = self.slot.len() - PID_BYTES;
        write_decimal(pid.unsigned_abs(), &mut self.slot[begin..]);
    }

    pub(super) fn pointers(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// Writes the digits to the beginning of `room`; the rest of it is zero then. Digits for which there is no room are lost.
fn write_decimal(mut number: u64, room: &mut [u8]) {
    let mut digits = 1;
    let mut rest = number / 10;
    while rest > 0 {
        digits += 1;
        rest /= 10;
    }
    for (place, byte) in room.iter_mut().enumerate().rev() {
        *byte = 0;
        if place < digits {
            *byte = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_std_writes_them() {
        for number in [0_u64, 1, 9, 10, 99, 100, 4_194_304, 2_147_483_647] {
            let mut room = [b'x'; PID_BYTES];
            write_decimal(number, &mut room);
            assert_eq!(
                CStr::from_bytes_until_nul(&room).unwrap().to_str().unwrap(),
                number.to_string()
            );
        }
    }

    #[test]
    fn the_slot_is_the_last_variable() {
        let variables = [c"A=b".to_owned()];
        let mut environment = Environment::new(&variables, Some(c"PID"));
        environment.write_pid();
        assert_eq!(environment.pointers.len(), 3);
        assert!(environment.pointers[2].is_null());
        let expected = format!("PID={}", std::process::id());
        let slot = CStr::from_bytes_until_nul(&environment.slot).unwrap();
        assert_eq!(slot.to_str().unwrap(), expected);
        assert_eq!(environment.pointers[1], slot.as_ptr());
        assert_eq!(Environment::new(&variables, None).pointers.len(), 2);
    }
}
