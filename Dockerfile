# The broker as an image: Node.js and one file, no shell, no package manager, no root.
#
#   docker build -t puremq .
#   docker run -d --name puremq -p 8883:8883 -v ./puremq:/etc/puremq:ro -v puremq:/var/lib/puremq puremq
#
# How it is run for real: docs/deployment.md.

FROM node:24-trixie-slim AS build
WORKDIR /src
COPY . .
# The lockfile says what is installed, and nothing of it runs a script then.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts \
 && npm run bundle -- script \
 && mkdir /state

# CA certificates, glibc, libstdc++ and Node.js: https://github.com/GoogleContainerTools/distroless
FROM gcr.io/distroless/nodejs24-debian13:nonroot
LABEL org.opencontainers.image.title="PureMQ" \
      org.opencontainers.image.description="An MQTT 3.1.1 and 5.0 broker on its own TLS 1.3" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /src/dist-bin/puremq.mjs /opt/puremq/puremq.mjs
# A volume that is made here belongs to the user.
COPY --from=build --chown=65532:65532 /state /var/lib/puremq
ENV PUREMQ_CONFIG=/etc/puremq/puremq.toml
WORKDIR /var/lib/puremq
VOLUME ["/var/lib/puremq"]
# The user nonroot, by its number: Kubernetes sees that it is none of root's (runAsNonRoot).
USER 65532:65532
EXPOSE 8883
STOPSIGNAL SIGTERM
# Where the configuration says that it listens: the admin API, or MQTT.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s --retries=3 \
  CMD ["/nodejs/bin/node", "/opt/puremq/puremq.mjs", "health"]
ENTRYPOINT ["/nodejs/bin/node", "/opt/puremq/puremq.mjs"]
CMD ["start"]
