# The programs in one small image. docs/OPERATIONS.md says how to run it.
FROM debian:bookworm-slim AS build
COPY tools/install-packages /src/tools/install-packages
RUN apt-get update && /src/tools/install-packages build && rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN cmake --preset release -DXD_TESTS=OFF \
 && cmake --build --preset release \
 && cmake --install build/release --prefix /opt/crossdock --strip

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libevent-2.1-7 libevent-core-2.1-7 libevent-extra-2.1-7 \
    libevent-openssl-2.1-7 libevent-pthreads-2.1-7 libhiredis0.14 libinih1 libjansson4 liblz4-1 libmsgpackc2 libsqlite3-0 libssl3 libxxhash0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 7400 --home-dir /data --shell /usr/sbin/nologin crossdock \
 && install -d -o crossdock -g crossdock /data
COPY --from=build /opt/crossdock /usr/local
RUN ldconfig
USER crossdock
VOLUME /data
EXPOSE 7400
ENV CROSSDOCK_DATA=/data
# Without client certificates the broker serves its own loopback only: `docker run --network host`, or see
# docs/OPERATIONS.md for certificates and the health check that goes with them.
ENV CROSSDOCK_URL=tcp://127.0.0.1:7400
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["crossdock", "ping"]
ENTRYPOINT ["crossdock-broker"]
