/** The version in package.json (a test compares them): the built program is one file and cannot read package.json. */
export const version = '0.1.0';

/**
 * The image that `inject`, the chart and the documentation name: the one that `docker build` creates, until an image is
 * published. The release workflow fails while this is not the name that it pushes.
 */
export const image = `podsecrets:${version}`;
