#!/bin/sh
# Creates the IAM role of an example, with the least-privilege policy of the secret-provider-class.yaml in this directory.
#
#   create-role.sh pod-identity CLUSTER NAME   with a Pod Identity association
#   create-role.sh irsa CLUSTER NAME           with trust in the cluster's OIDC provider
#
# NAME is the name of the role and of the service account, which is in the namespace default.
set -eu
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

policy=$(podsecrets doctor --policy --config secret-provider-class.yaml)
role=$(aws iam create-role --role-name "$name" --assume-role-policy-document "$trust" --query Role.Arn --output text)
aws iam put-role-policy --role-name "$name" --policy-name podsecrets --policy-document "$policy"
if [ "$kind" = pod-identity ]; then
  aws eks create-pod-identity-association --cluster-name "$cluster" --namespace default \
    --service-account "$name" --role-arn "$role"
fi
echo "created $role"
