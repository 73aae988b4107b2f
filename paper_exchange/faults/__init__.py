"""Faults that are added by rule: connections cut, answers late, wrong or missing."""
