//! MQTT packets over a stream of bytes: TCP, TLS, or a pipe in a test.
//!
//! Of rumqttc only the codec is used. Its event loop loses messages over a reconnect in several ways
//! (rumqttc's issues #1056, #1025, #910, pull request #923), tells no packet number when a message is
//! handed over, ends the connection at an acknowledgement that came twice, and can be given no
//! stream but its own; its TLS feature brings `rustls-webpki` 0.102 (RUSTSEC-2026-0049, -0098,
//! -0099, -0104). The part of MQTT 3.1.1 that a gateway needs is small enough to stand here.
//!
//! Nothing blocks; [`Wire::next`] may be dropped and asked again without losing a byte.

use rumqttc::mqttbytes::{self, v4::Packet};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio_util::bytes::BytesMut;

/// Largest packet either way, bytes; the outbox takes payloads up to 8 KiB.
const MAX_PACKET: usize = 64 * 1024;

/// Room made for each reading, bytes.
const READ: usize = 4096;

/// What packets travel over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why no more packets come.
#[derive(Debug, thiserror::Error)]
pub(super) enum Gone {
    /// The broker closed the connection, in order or not.
    #[error("it closed the connection")]
    Closed,
    /// The stream failed.
    #[error("{0}")]
    Io(io::Error),
    /// It has not answered for too long.
    #[error("it fell silent")]
    Silent,
    /// What came is no MQTT.
    #[error("it does not speak MQTT 3.1.1: {0}")]
    Malformed(mqttbytes::Error),
}

impl From<io::Error> for Gone {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof, WriteZero,
        };
        match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof | WriteZero => {
                Self::Closed
            }
            _ => Self::Io(error),
        }
    }
}

/// A stream that carries packets.
pub(super) struct Wire {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    incoming: BytesMut,
    outgoing: BytesMut,
    /// Whether something was written that may still lie in a buffer of the stream.
    unflushed: bool,
}

impl Wire {
    pub(super) fn over(stream: Box<dyn Stream>) -> Self {
        let (reader, writer) = split(stream);
        Self {
            reader,
            writer,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            unflushed: false,
        }
    }

    /// Puts a packet behind those that wait to be written; [`Wire::next`] writes.
    pub(super) fn put(&mut self, packet: &Packet) -> Result<(), mqttbytes::Error> {
        packet.write(&mut self.outgoing, MAX_PACKET).map(|_| ())
    }

    /// Writes what waits, and gives the next packet that comes.
    pub(super) async fn next(&mut self) -> Result<Packet, Gone> {
        loop {
            match Packet::read(&mut self.incoming, MAX_PACKET) {
                Ok(packet) => return Ok(packet),
                Err(mqttbytes::Error::InsufficientBytes(_)) => {}
                Err(wrong) => return Err(Gone::Malformed(wrong)),
            }
            self.incoming.reserve(READ);
            let waiting = self.unflushed || !self.outgoing.is_empty();
            tokio::select! {
                read = self.reader.read_buf(&mut self.incoming) => {
                    if read? == 0 {
                        return Err(Gone::Closed);
                    }
                }
                written = write(&mut self.writer, &mut self.outgoing, &mut self.unflushed),
                    if waiting => written?,
            }
        }
    }

    /// Writes what waits and closes our half, in order.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.writer.write_all_buf(&mut self.outgoing).await?;
        self.writer.flush().await?;
        self.writer.shutdown().await
    }
}

/// Writes all that waits, and sees it off. May be dropped and asked again: what was written has left
/// `outgoing`.
async fn write(
    writer: &mut WriteHalf<Box<dyn Stream>>,
    outgoing: &mut BytesMut,
    unflushed: &mut bool,
) -> io::Result<()> {
    while !outgoing.is_empty() {
        if writer.write_buf(outgoing).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *unflushed = true;
    }
    writer.flush().await?;
    *unflushed = false;
    Ok(())
}
