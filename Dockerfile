# syntax=docker/dockerfile:1

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The folder that the volume begins as: an image without a shell cannot make it, and it must belong to the server's user.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --bin latchkey \
    && install -D target/dist/latchkey /image/usr/local/bin/latchkey \
    && install -d -m 700 /image/var/lib/latchkey

# glibc, CA certificates, time zones and a user 65532; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /image/usr /usr
COPY --from=build --chown=65532:65532 /image/var/lib/latchkey /var/lib/latchkey
USER 65532:65532
ENV LATCHKEY_SERVER_LISTEN=0.0.0.0:8080 \
    LATCHKEY_DATA_DIR=/var/lib/latchkey \
    LATCHKEY_LOG_FORMAT=json
# The sealing key and, where no other database is named, the SQLite file.
VOLUME /var/lib/latchkey
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/usr/local/bin/latchkey", "health"]
ENTRYPOINT ["/usr/local/bin/latchkey"]
CMD ["serve"]
