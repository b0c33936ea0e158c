#!/bin/sh
# Creates the IAM role of an example, with the least-privilege policy of the secret-provider-class.yaml in this directory.
#
#   create-role.sh pod-identity CLUSTER NAME   with a Pod Identity association
#   create-role.sh irsa CLUSTER NAME           with trust in the cluster's OIDC provider
#
# NAME is the name of the role and of the service account, which is in the namespace default. After an error nothing stays, so that
# the command can be repeated.
set -eu
if [ $# -ne 3 ]; then
  echo "usage: $0 pod-identity|irsa CLUSTER NAME" >&2
  exit 2
fi
kind=$1 cluster=$2 name=$3

case $kind in
pod-identity)
  trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Service":"pods.eks.amazonaws.com"},
    "Action":["sts:AssumeRole","sts:TagSession"]}]}'
  ;;
irsa)
  account=$(aws sts get-caller-identity --query Account --output text)
  issuer=$(aws eks describe-cluster --name "$cluster" --query cluster.identity.oidc.issuer --output text)
  issuer=${issuer#https://}
  trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"Federated":"arn:aws:iam::'$account':oidc-provider/'$issuer'"},
    "Action":"sts:AssumeRoleWithWebIdentity",
    "Condition":{"StringEquals":{
      "'$issuer':sub":"system:serviceaccount:default:'$name'",
      "'$issuer':aud":"sts.amazonaws.com"}}}]}'
  ;;
*)
  echo "expected pod-identity or irsa, got $kind" >&2
  exit 2
  ;;
esac

# Without the notes of a success, which are about other ways to create a role.
if ! policy=$(podsecrets doctor --policy --config secret-provider-class.yaml 2>/dev/null); then
  podsecrets doctor --policy --config secret-provider-class.yaml
  exit 1
fi
undo() {
  echo "removing the role $name, because the next step failed" >&2
  aws iam delete-role-policy --role-name "$name" --policy-name podsecrets || true
  aws iam delete-role --role-name "$name"
}
role=$(aws iam create-role --role-name "$name" --assume-role-policy-document "$trust" --query Role.Arn --output text)
trap undo EXIT
aws iam put-role-policy --role-name "$name" --policy-name podsecrets --policy-document "$policy"
if [ "$kind" = pod-identity ]; then
  aws eks create-pod-identity-association --cluster-name "$cluster" --namespace default \
    --service-account "$name" --role-arn "$role"
fi
trap - EXIT
echo "created $role"
