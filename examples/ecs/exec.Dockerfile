# Any application image with podsecrets in it: the directory has the program and the libraries it needs.
ARG PODSECRETS_IMAGE
FROM ${PODSECRETS_IMAGE} AS podsecrets
FROM public.ecr.aws/docker/library/busybox:1.37
COPY --from=podsecrets /podsecrets /podsecrets
