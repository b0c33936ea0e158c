#!/bin/sh
# Deletes what create-role.sh created, with the same arguments. A part that is missing does not keep the others.
set -u
if [ $# -ne 3 ]; then
  echo "usage: $0 pod-identity|irsa CLUSTER NAME" >&2
  exit 2
fi
failed=0
kind=$1 cluster=$2 name=$3

if [ "$kind" = pod-identity ]; then
  association=$(aws eks list-pod-identity-associations --cluster-name "$cluster" --namespace default \
    --service-account "$name" --query 'associations[0].associationId' --output text)
  aws eks delete-pod-identity-association --cluster-name "$cluster" --association-id "$association" || failed=1
fi
aws iam delete-role-policy --role-name "$name" --policy-name podsecrets || failed=1
aws iam delete-role --role-name "$name" || failed=1
exit $failed
