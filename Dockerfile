# A static binary, without root, with a health check.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /sandbar . && mkdir -p /data

FROM scratch
COPY --from=build /sandbar /sandbar
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["/sandbar", "status", "--to", "http://127.0.0.1:8080"]
# The page shows and changes everything: give it a token (SANDBAR_TOKEN).
ENTRYPOINT ["/sandbar"]
CMD ["serve", "--data", "/data", "--listen", "0.0.0.0:8080"]
