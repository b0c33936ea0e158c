# The image: podsecrets, the libraries it is linked with, certificate authorities, and nothing else. No shell, no root.
#
#   docker build .                                            for the machine's own architecture
#   docker buildx build --platform linux/amd64,linux/arm64 .  for both; each is built and warmed up where it runs

# By tag, not by digest: the image takes Debian's libraries and authorities from here, and a rebuild is meant to pick up their
# fixes. Node itself comes from package-lock.json, by hash.
FROM node:26-trixie AS build
WORKDIR /podsecrets
COPY package.json package-lock.json LICENSE ./
RUN npm ci --ignore-scripts --no-audit --no-fund
# A fifth of Node is symbols. They can only be removed before the program is added; src/build/lock-checks.ts needs one of them.
RUN command -v strip && command -v patchelf && ldconfig -p | grep -q libatomic.so.1 \
 || { apt-get update && apt-get install --yes --no-install-recommends binutils libatomic1 patchelf; }
RUN strip --wildcard --keep-symbol='_ZN4absl12_GLOBAL__N_124synch_deadlock_detectionE*' "$(readlink -f node_modules/.bin/node)"
COPY src src
RUN npm run build

# The content of the final stage: the program with its loader and its libraries in a directory that works in any image, Debian's
# record of their packages for scanners, and the licence of every part.
RUN set -eu; \
    mkdir -p /image/usr/bin /image/etc/ssl/certs /image/var/lib/dpkg/status.d /image/usr/share/doc/podsecrets; \
    node_modules/.bin/node src/build/portable.ts /image/podsecrets; \
    ln -s /podsecrets/podsecrets /image/usr/bin/podsecrets; \
    chroot /image /usr/bin/podsecrets --version; \
    cp --dereference /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/; \
    for package in base-files ca-certificates libatomic1 libc6 libgcc-s1 libstdc++6; do \
      dpkg -s "$package" > "/image/var/lib/dpkg/status.d/$package"; \
      mkdir "/image/usr/share/doc/$package"; \
      cp "/usr/share/doc/$package/copyright" "/image/usr/share/doc/$package/"; \
    done; \
    cp -R /usr/share/common-licenses /image/usr/share/; \
    cp LICENSE /image/usr/share/doc/podsecrets/; \
    node_modules/.bin/node src/build/licenses.ts /image/usr/share/doc/podsecrets; \
    cp --dereference /etc/os-release /image/etc/os-release; \
    echo 'hosts: files dns' > /image/etc/nsswitch.conf; \
    echo 'podsecrets:x:65532:65532::/:/sbin/nologin' > /image/etc/passwd; \
    # The same files give the same layer, whatever the date.
    find /image -exec touch --no-dereference --date=@0 {} +

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="podsecrets" \
      org.opencontainers.image.description="AWS secrets as files in your pod, without a DaemonSet" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
# The C library returns freed memory to the system early: 0.5 MiB less for a sidecar between two syncs.
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_TOP_PAD_=0
USER 65532:65532
ENTRYPOINT ["/usr/bin/podsecrets"]
