#!/bin/sh
# Deletes what create-role.sh created, with the same arguments.
set -eu
kind=$1 cluster=$2 name=$3

if [ "$kind" = pod-identity ]; then
  association=$(aws eks list-pod-identity-associations --cluster-name "$cluster" --namespace default \
    --service-account "$name" --query 'associations[0].associationId' --output text)
  aws eks delete-pod-identity-association --cluster-name "$cluster" --association-id "$association"
fi
aws iam delete-role-policy --role-name "$name" --policy-name podsecrets
aws iam delete-role --role-name "$name"
